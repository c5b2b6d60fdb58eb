// People, groups and teams of the scope by their names: REST, through the gateway's proxy.
import { ApiError, persist } from "./api";
import { ROOT } from "./components";

export interface Who { id: string; displayName?: string }
export interface Team { id: string; name?: string | null; principals?: string[] }

const MOST = 10;

const named = (kind: "users" | "groups", name: string, signal: AbortSignal) =>
    persist<{ results: Who[] }>("GET", `${ROOT}/${kind}/search?${new URLSearchParams({ name, max: String(MOST) })}`, undefined, { signal });

/** Users and groups whose names begin so. */
export async function peopleNamed(name: string, signal: AbortSignal): Promise<Who[]> {
    const [users, groups] = await Promise.all([named("users", name, signal), named("groups", name, signal)]);
    return [...users.results, ...groups.results];
}

/** The teams of a scope; none for who may not read it. */
export async function teamsOf(scope: string, signal: AbortSignal): Promise<Team[]> {
    try {
        const answer = await persist<{ people?: { profiles?: Team[] } }[]>("GET", `${ROOT}/scope/${encodeURIComponent(scope)}`, undefined, { signal });
        return answer[0]?.people?.profiles ?? [];
    } catch (error) {
        if (error instanceof ApiError)
            return [];
        throw error;
    }
}
