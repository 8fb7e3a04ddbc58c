// The README's tour, taken with clients made by openapi-typescript and openapi-fetch.
//
// Arguments: where the Thoughts Backend and the Users Backend are, a name and its password. What the
// steps answered is written to standard output, as JSON.

import createClient from "openapi-fetch";
import type { components, operations, paths } from "./thoughts_backend.js";
import type { paths as UsersPaths } from "./users_backend.js";

type Thought = components["schemas"]["Thought"];
type Query = NonNullable<operations["list_thoughts"]["parameters"]["query"]>;

const [thoughtsUrl, usersUrl, username, password] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("There is no such answer.");
  return value;
}

const users = createClient<UsersPaths>({ baseUrl: usersUrl });
const login = await users.POST("/api/login", { body: { username, password } });

// As most clients do: the scheme, and then what the login answered, which has it already.
const headers = { Authorization: `Bearer ${there(login.data).Authorized}` };
const user = createClient<paths>({ baseUrl: thoughtsUrl, headers });
const nobody = createClient<paths>({ baseUrl: thoughtsUrl });

async function pages(query: Query): Promise<Thought[][]> {
  const { data, response } = await nobody.GET("/api/thoughts", { params: { query } });
  const following = /<([^<>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
  if (following === undefined) return [there(data)];
  const cursor = Number(new URL(following, thoughtsUrl).searchParams.get("max_id"));
  return [there(data), ...(await pages({ ...query, max_id: cursor }))];
}

const shared: Thought[] = [];
for (const number of [0, 1, 2]) {
  const text = `Hello ${number}: 你好, ${username}.`;
  shared.push(there((await user.POST("/api/me/thoughts", { body: { text } })).data));
}
const first = there(shared[0]);
const path = { thought_id: first.id };
const search = `HELLO 1: 你好, ${username}`.toUpperCase();

const own = await user.GET("/api/me/thoughts");
const found = await nobody.GET("/api/thoughts", { params: { query: { search } } });
const leafed = await pages({ username, limit: 2 });
const deletion = await user.DELETE("/api/me/thoughts/{thought_id}", { params: { path } });
const gone = await nobody.GET("/api/thoughts/{thought_id}", { params: { path } });
const refused = await user.POST("/api/me/thoughts", { body: { text: "" } });

console.log(
  JSON.stringify({
    shared,
    year: new Date(first.timestamp).getUTCFullYear(),
    own: own.data,
    found: found.data,
    pages: leafed,
    deletion: deletion.response.status,
    gone: gone.error,
    refused: refused.error,
  }),
);
