// Answers and assignment of tasks: REST, through the gateway's proxy.
import { call } from "./api";
import { type Component, oneAt, type Tag } from "./components";

const at = (id: string) => oneAt("TASK", id);

export const tasks = {
    /** Once; a task that is answered stays so. */
    answer: async (id: string, answer: string, tags: Tag[]) => (await call<Component[]>("PUT", `${at(id)}/answer`, { id: answer, tags }))[0]!,

    /** To a user, group or team; null: to nobody. */
    assign: async (id: string, to: string | null) => (to === null
        ? await call<Component[]>("DELETE", `${at(id)}/assignee`)
        : await call<Component[]>("PUT", `${at(id)}/assignee/${encodeURIComponent(to)}`))[0]!,
};
