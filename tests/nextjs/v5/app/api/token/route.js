import { getToken } from "next-auth/jwt";

export async function GET(req) {
  const { AUTH_SECRET, AUTH_SECRET_1, AUTH_SECRET_2, AUTH_URL } = process.env;
  const secret = AUTH_SECRET ?? [AUTH_SECRET_2, AUTH_SECRET_1];
  return Response.json(await getToken({ req, secret, secureCookie: AUTH_URL.startsWith("https:") }));
}
