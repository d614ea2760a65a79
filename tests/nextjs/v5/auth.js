import NextAuth from "next-auth";
import Credentials from "next-auth/providers/credentials";
import { check } from "./people";

export const { handlers, auth } = NextAuth({
  providers: [
    Credentials({
      credentials: { username: { label: "Username" }, password: { label: "Password", type: "password" } },
      authorize: check,
    }),
  ],
  callbacks: {
    authorized: ({ request, auth }) => (request.nextUrl.pathname === "/admin" ? auth?.user.role === "admin" : !!auth),
    jwt({ token, user, trigger, session }) {
      if (user) Object.assign(token, { role: user.role, note: user.note });
      if (trigger === "update") Object.assign(token, session);
      return token;
    },
    session({ session, token }) {
      Object.assign(session.user, { id: token.sub, role: token.role, note: token.note });
      return session;
    },
  },
});
