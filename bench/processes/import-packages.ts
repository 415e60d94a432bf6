/** Imports the packages that are its arguments, and prints the milliseconds that it took. */
const start = performance.now()
for (const name of process.argv.slice(2)) await import(name)
process.stdout.write(String(performance.now() - start))
