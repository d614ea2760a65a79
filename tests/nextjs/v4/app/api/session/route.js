import { getServerSession } from "next-auth";
import { authOptions } from "../../../auth";

export async function GET() {
  return Response.json(await getServerSession(authOptions));
}
