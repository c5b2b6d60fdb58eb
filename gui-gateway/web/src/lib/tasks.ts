// Answers and assignment of tasks: REST, through the gateway's proxy.
import { ApiError, call, persist } from "./api";
import { type Component, oneAt, ROOT, type Tag } from "./components";

interface Team { id: string; name?: string | null; principals?: string[] }

const at = (id: string) => oneAt("TASK", id);

export const tasks = {
    /** Once; a task that is answered stays so. */
    answer: async (id: string, answer: string, tags: Tag[]) => (await call<Component[]>("PUT", `${at(id)}/answer`, { id: answer, tags }))[0]!,

    /** To a user, group or team; null: to nobody. */
    assign: async (id: string, to: string | null) => (to === null
        ? await call<Component[]>("DELETE", `${at(id)}/assignee`)
        : await call<Component[]>("PUT", `${at(id)}/assignee/${encodeURIComponent(to)}`))[0]!,
};

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
