import { runtime } from "../../runtime/mod.ts";
import { show } from "../core/options.ts";

const DEFAULT_PORT = 6379;

/** A Redis server as the caller named it. */
export interface RedisHost {
  /** The whole address, with user and password. */
  readonly url: string;
  /** The address as it may be shown: without user and password. */
  readonly label: string;
}

/**
 * Finds out which servers are meant.
 *
 * @param hosts What the caller gave: one or more of `"myredis.com"`,
 * `"host:port"`, `redis://` and `rediss://` URLs. By default `REDIS_URL`, then
 * `REDIS_HOST` and `REDIS_PORT`, then localhost.
 * @returns The servers, each once.
 * @throws {TypeError} If one cannot be understood, or is named twice.
 */
export function parseHosts(hosts: unknown): RedisHost[] {
  if (hosts === undefined) return [defaultHost()];
  const list = Array.isArray(hosts) ? hosts : [hosts];
  if (list.length === 0) {
    throw new TypeError(
      "RedisLock hosts must name at least one server, got []",
    );
  }
  // Holes of the list, too, which map() would skip.
  const parsed = Array.from(list, parseHost);
  const servers = new Set<string>();
  for (const { label, url } of parsed) {
    // Two databases of one server fail together.
    const { host } = new URL(url);
    if (servers.has(host)) {
      throw new TypeError(
        `RedisLock hosts must be independent servers, got ${label} again`,
      );
    }
    servers.add(host);
  }
  return parsed;
}

function defaultHost(): RedisHost {
  const url = runtime.environment("REDIS_URL");
  if (url !== undefined) return parseHost(url);
  const host = runtime.environment("REDIS_HOST") ?? "localhost";
  const port = runtime.environment("REDIS_PORT");
  return parseHost(port === undefined ? host : `${host}:${port}`);
}

function parseHost(host: unknown): RedisHost {
  if (typeof host !== "string" || host.trim() !== host || host === "") {
    throw wrongHost(host);
  }
  // The parser of URLs leaves some out, and another server would be meant.
  if (/\p{Cc}/u.test(host)) throw wrongHost(host);
  const hasScheme = /^[a-z]+:\/\//i.test(host);
  const url = parseUrl(hasScheme ? host : `redis://${host}`, host);
  const isKnown = url.protocol === "redis:" || url.protocol === "rediss:";
  const database = /^\/?(\d*)$/.exec(url.pathname);
  if (!isKnown || url.hostname === "" || database === null) {
    throw wrongHost(host);
  }
  url.hostname = url.hostname.toLowerCase();
  url.port ||= String(DEFAULT_PORT);
  const path = Number(database[1]) > 0 ? `/${database[1]}` : "";
  url.pathname = path;
  const label = `${url.protocol}//${url.host}${path}`;
  return { url: url.href, label };
}

function parseUrl(text: string, host: string): URL {
  try {
    return new URL(text);
  } catch {
    throw wrongHost(host);
  }
}

function wrongHost(host: unknown): TypeError {
  return new TypeError(
    `RedisLock hosts must be like "myredis.com", "host:port" or ` +
      `"redis://user:password@host:port/database", got ${
        show(hideSecret(host))
      }`,
  );
}

// A password is not for messages, even when the rest is wrong.
function hideSecret(host: unknown): unknown {
  return typeof host === "string"
    ? host.replace(/^([a-z]+:\/\/)?.*@/is, "$1***@")
    : host;
}
