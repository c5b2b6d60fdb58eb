// Searches of components: REST, through the gateway's proxy.
import { persist } from "./api";
import { pathOf } from "./components";

export interface Found { id: string; name: string; classId: string; changed: string; owner: string }
export interface FoundPage { found: number; results: Found[]; after: string | null }

const PAGE = 25;

interface Field { name: string; value: string }

function foundOf(row: { id: string; fields?: Field[] }): Found {
    const field = (name: string) => row.fields?.find((f) => f.name.toLowerCase() === name)?.value ?? "";
    return { id: row.id, name: field("name"), classId: field("classid"), changed: field("lastupdatedate"), owner: field("owner") };
}

const criterion = (name: string, operator: string, value: string) => ({ name, operator, type: "STRING", values: [value] });

/** TEXT: words of the name, the tags and the contents. */
export async function search(category: string, classId: string, text: string, after: string | null, signal: AbortSignal): Promise<FoundPage> {
    const criteria = [
        ...(classId ? [criterion("classid", "EQUALS_TO", classId)] : []),
        ...(text ? [criterion("Content", "CONTAINS", text)] : []),
    ];
    const page = await persist<{ found: number; results: { id: string; fields?: Field[] }[]; after?: string | null }>(
        "POST", `${pathOf(category)}/search`,
        {
            selectClause: { fields: ["name", "classid", "lastUpdateDate", "owner"] },
            filterClauses: criteria.length > 0 ? [{ criteria }] : [],
            orderClauses: [{ name: "lastUpdateDate", type: "TIMESTAMP", ascending: false }],
            max: PAGE,
            ...(after ? { after } : {}),
        }, { signal });
    return { found: page.found, results: page.results.map(foundOf), after: page.after ?? null };
}
