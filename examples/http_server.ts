/**
 * Serves the handler of http_handler.ts on the runtime that runs this.
 *
 *     ACCOUNTS=/srv/accounts PORT=8001 deno run -A examples/http_server.ts
 *     ACCOUNTS=/srv/accounts PORT=8002 bun examples/http_server.ts
 *     ACCOUNTS=/srv/accounts PORT=8003 node examples/http_server.ts
 */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { handle } from "./http_handler.ts";

const hostname = "127.0.0.1";
const port = Number(process.env.PORT ?? 0);

/** What is used here of Bun. */
interface Bun {
  serve(options: {
    hostname: string;
    port: number;
    fetch: (request: Request) => Promise<Response>;
  }): { port: number };
}

function serve(): void {
  const { Bun } = globalThis as { Bun?: Bun };
  if (Bun) tell(Bun.serve({ hostname, port, fetch: handle }).port);
  else if ("Deno" in globalThis) {
    const onListen = ({ port }: { port: number }): void => tell(port);
    Deno.serve({ hostname, port, onListen }, handle);
  } else serveOnNode();
}

function serveOnNode(): void {
  const server = createServer((message, response) => {
    answer(message, response).catch((error) => response.destroy(error));
  });
  server.listen(port, hostname, () => {
    tell((server.address() as AddressInfo).port);
  });
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const { method = "GET", url = "/" } = message;
  const { signal } = gone;
  const request = new Request(`http://${hostname}${url}`, { method, signal });
  const { status, headers, body } = await handle(request);
  response.writeHead(status, Object.fromEntries(headers));
  for await (const chunk of body ?? []) response.write(chunk);
  response.end();
}

function tell(port: number): void {
  console.log(`http://${hostname}:${port}`);
}

serve();
