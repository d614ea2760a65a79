import { getServerSession } from "next-auth";
import { authOptions } from "../../auth";

export default async function Protected() {
  const session = await getServerSession(authOptions);
  return <h1>you are {session?.user.email}</h1>;
}
