import { withAuth } from "next-auth/middleware";

export default withAuth({
  callbacks: {
    authorized: ({ req, token }) => (req.nextUrl.pathname === "/admin" ? token?.role === "admin" : !!token),
  },
});

export const config = { matcher: ["/protected", "/admin"] };
