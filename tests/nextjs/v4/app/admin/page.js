export default function Admin() {
  return <h1>for admins</h1>;
}
