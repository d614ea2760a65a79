const people = {
  jsmith: { id: "1", name: "J Smith", email: "jsmith@example.com", role: "user" },
  admin: { id: "2", name: "Zoë 日本語 🦀", email: "admin@example.com", role: "admin" },
  // Too long for one cookie.
  big: { id: "3", name: "Big", email: "big@example.com", role: "user", note: "n€".repeat(1500) },
};

export function check({ username, password }) {
  return password === "hunter2" && Object.hasOwn(people, username) ? people[username] : null;
}
