import { randomUUID } from 'node:crypto'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import googleIdToken, { type AllowedCaller, type Caller } from 'fastify-google-id-token'
import { z } from 'zod'

/** What the tool does: it finds one thing after the other. */
export type Search = (query: string) => AsyncIterable<string>

export interface McpConfig {
  audience: string | string[]
  allowedCallers: AllowedCaller[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
  search: Search
}

/** A session of the protocol, and the only caller who may use it. */
interface Session {
  subject: string
  transport: StreamableHTTPServerTransport
}

/** An MCP server whose tools only listed services can call. */
export async function buildMcpServer(config: McpConfig): Promise<FastifyInstance> {
  const { search, ...verification } = config
  const sessions = new Map<string, Session>()
  const app = Fastify()
  await app.register(googleIdToken, verification)

  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler: async (request, reply) => {
      const transport = isInitializeRequest(request.body)
        ? await openSession(sessions, { caller: request.caller, search })
        : transportOf(sessions, request)
      if (transport === undefined) return reply.code(404).send({ message: 'No such session' })
      // The transport writes the response itself: JSON, or a stream of server-sent events.
      reply.hijack()
      return transport.handleRequest(request.raw, reply.raw, request.body)
    },
  })
  // Open streams would keep the app from closing.
  app.addHook('preClose', async () => {
    await Promise.all([...sessions.values()].map(({ transport }) => transport.close()))
  })
  return app
}

/** A session id is no proof of who calls: it counts only together with the caller who opened it. */
function transportOf(
  sessions: ReadonlyMap<string, Session>,
  { headers, caller }: FastifyRequest,
): StreamableHTTPServerTransport | undefined {
  const session = sessions.get(String(headers['mcp-session-id']))
  return session?.subject === caller.subject ? session.transport : undefined
}

interface Opening {
  caller: Caller
  search: Search
}

async function openSession(
  sessions: Map<string, Session>,
  { caller, search }: Opening,
): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => {
      sessions.set(id, { subject: caller.subject, transport })
    },
    onsessionclosed: (id) => {
      sessions.delete(id)
    },
  })
  await toolsFor(caller, search).connect(transport)
  return transport
}

function toolsFor(caller: Caller, search: Search): McpServer {
  const server = new McpServer({ name: 'shop-search', version: '1.0.0' })
  server.registerTool(
    'search',
    { description: 'Finds items of the shop', inputSchema: { query: z.string() } },
    async ({ query }, { _meta, sendNotification }) => {
      const found: string[] = []
      for await (const item of search(query)) {
        found.push(item)
        const progressToken = _meta?.progressToken
        if (progressToken === undefined) continue
        const params = { progressToken, progress: found.length, message: item }
        await sendNotification({ method: 'notifications/progress', params })
      }
      const text = `${found.join(', ')}; found for ${caller.email ?? caller.subject}`
      return { content: [{ type: 'text', text }] }
    },
  )
  return server
}
