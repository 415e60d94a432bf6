import express from 'express'
import type { BenchServer } from '../server.ts'
import { listenWithRoute } from './express-route.ts'

export const server: BenchServer = { start: () => listenWithRoute(express()) }
