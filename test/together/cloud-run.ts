import { runTogether } from '../helpers/run-together.ts'

await runTogether('cloud-run')
