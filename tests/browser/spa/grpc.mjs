// A page with the official gRPC-Web client, and the service of examples/proto/greeter.proto written out.
import { GrpcWebClientBase, MethodDescriptor } from 'grpc-web';

/** The one field of both messages: `string text = 1`. Longer texts would need more than one byte of length. */
class Text {
  constructor(text = '') { this.text = text; }
  bytes() {
    const text = new TextEncoder().encode(this.text);
    if (text.length > 127) throw new RangeError('text is too long for one byte of length');
    return new Uint8Array([0x0a, text.length, ...text]);
  }
  static parse(bytes) {
    if (bytes.length === 0) return new Text();
    if (bytes[0] !== 0x0a || bytes[1] !== bytes.length - 2) throw new TypeError(`no text: ${bytes}`);
    return new Text(new TextDecoder().decode(bytes.subarray(2)));
  }
}

const path = (name) => `/greeter.v1.Greeter/${name}`;
const method = (name, type) => new MethodDescriptor(path(name), type, Text, Text, (message) => message.bytes(), Text.parse);
const methods = { Greet: method('Greet', 'unary'), Repeat: method('Repeat', 'server_streaming') };

async function unary(format, name, text) {
  const client = new GrpcWebClientBase({ format });
  try {
    return (await client.unaryCall(path(name), new Text(text), {}, methods[name])).text;
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

/** What a stream of replies says, in its order. */
function stream(name, text) {
  const replies = new GrpcWebClientBase({ format: 'text' }).serverStreaming(path(name), new Text(text), {}, methods[name]);
  const said = [];
  return new Promise((done) => {
    replies.on('data', (reply) => said.push(reply.text));
    replies.on('status', ({ code }) => said.push({ status: code }));
    replies.on('error', ({ code, message }) => done([...said, { code, message }]));
    replies.on('end', () => done(said));
  });
}

/** The same without the client: what a browser lets a script see of the answer. Frames: a flag, four bytes of length. */
async function raw(name, text) {
  const message = new Text(text).bytes();
  const answer = await fetch(path(name), {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
    body: new Uint8Array([0, 0, 0, 0, message.length, ...message]),
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer).getUint32(at + 1);
    const content = bytes.subarray(at + 5, at + 5 + length);
    frames.push(bytes[at] === 0 ? Text.parse(content).text : new TextDecoder().decode(content));
    at += 5 + length;
  }
  return { status: answer.status, headers: Object.fromEntries(answer.headers), frames };
}

window.grpc = { unary, stream, raw };
