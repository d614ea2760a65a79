import { auth } from "../../auth";

export default async function Protected() {
  const session = await auth();
  return <h1>you are {session?.user.email}</h1>;
}
