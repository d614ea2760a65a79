import CredentialsProvider from "next-auth/providers/credentials";
import { check } from "./people";

export const authOptions = {
  providers: [
    CredentialsProvider({
      credentials: { username: { label: "Username" }, password: { label: "Password", type: "password" } },
      authorize: check,
    }),
  ],
  callbacks: {
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
};
