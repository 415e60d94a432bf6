import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { createServiceClient, type ServiceClientOptions } from 'fastify-google-id-token/client'

/** An MCP client that calls as this service. */
export interface McpConnection {
  mcp: Client
  /** Ends the session. */
  close: () => Promise<void>
}

/** Connects to the MCP server of another service, with an ID token in every request. */
export async function connectMcp(service: ServiceClientOptions): Promise<McpConnection> {
  const client = createServiceClient(service)
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', service.url), {
    fetch: client.fetch,
  })
  const mcp = new Client({ name: 'login', version: '1.0.0' })
  await mcp.connect(transport)
  return {
    mcp,
    close: async () => {
      await transport.terminateSession()
      await mcp.close()
      client.close()
    },
  }
}
