// Loaded before `next start`: the server ends when whoever started it is gone, however that went.
process.stdin.on("end", () => process.exit()).resume();
