// Searches of components: REST, through the gateway's proxy.
import { persist } from "./api";
import { pathOf, type Reference } from "./components";

/** One criterion. Operators: OPERATORS. */
export interface Where { field: string; operator: string; values: string[] }

export interface Query {
    category: string;
    classId: string; /* "": any */
    text: string; /* words of names, tags and contents */
    where: Where[];
    sort: string; /* a field; "-" before it: backwards */
}

export interface Found {
    id: string;
    category: string;
    name: string;
    classId: string;
    changed: string;
    owner: string;
    status: string;
    assignee: string;
    values: Map<string, string>; /* those asked for beside; several joined with § */
}

export interface FoundPage { found: number; atLeast: boolean; results: Found[]; after: string | null }
export interface Bucket { value: string; count: number }

/** Word of the address -> word of the core. */
export const OPERATORS: Record<string, string> = {
    is: "EQUALS_TO", not: "DIFFERENT", contains: "CONTAINS", starts: "STARTS_WITH", over: "GREATER_THAN", under: "LESS_THAN", between: "BETWEEN",
};

export const NEWEST = "-lastUpdateDate";
const PAGE = 25;
const LOOK_UP_MOST = 100; /* values of a criterion */
const OWN = ["name", "classid", "lastUpdateDate", "owner", "status", "assignee"];

interface Field { name: string; value: string }
interface Row { id: string; category: string; fields?: Field[] }
interface Answer { found?: number; foundIsAtLeast?: boolean; results: Row[]; after?: string; aggregation?: { buckets: Bucket[] } }

function foundOf(row: Row): Found {
    const values = new Map(row.fields?.map((field) => [field.name, field.value]));
    const own = (name: string) => values.get(name) ?? "";
    return {
        id: row.id, category: row.category, name: own("name"), classId: own("classid"), changed: own("lastUpdateDate"), owner: own("owner"),
        status: own("status"), assignee: own("assignee"), values,
    };
}

/** WITHOUT: a field whose values are being counted, so that the others can still be chosen. */
function clausesOf(query: Query, without = "") {
    const criteria = [
        ...(query.classId && without !== "classid" ? [{ field: "classid", operator: "is", values: [query.classId] }] : []),
        ...(query.text ? [{ field: "Content", operator: "contains", values: [query.text] }] : []),
        ...query.where.filter((one) => one.field !== without || one.operator !== "is"),
    ];
    return criteria.length > 0
        ? [{ criteria: criteria.map((one) => ({ name: one.field, operator: OPERATORS[one.operator] ?? "EQUALS_TO", values: one.values })) }]
        : [];
}

const orderOf = (sort: string) => [{ name: sort.replace(/^-/, ""), ascending: !sort.startsWith("-") }];

export const requestOf = (query: Query) => ({ filterClauses: clausesOf(query), orderClauses: orderOf(query.sort) });

/** REQUEST as the core has it: a virtual folder's, or requestOf a query. FIELDS are shown beside a component's own. */
export async function run(
    category: string, request: object, { fields = [] as string[], after = null as string | null, max = PAGE }, signal: AbortSignal,
): Promise<FoundPage> {
    const answer = await persist<Answer>("POST", `${pathOf(category)}/search`,
        { ...request, selectClause: { fields: [...OWN, ...fields.filter((field) => !OWN.includes(field))] }, max, ...(after ? { after } : {}) }, { signal });
    return { found: answer.found ?? 0, atLeast: answer.foundIsAtLeast ?? false, results: answer.results.map(foundOf), after: answer.after ?? null };
}

/** How often each value of FIELD is among what is found, were the field not asked for. The most frequent first. */
export async function facet(query: Query, field: string, signal: AbortSignal): Promise<Bucket[]> {
    const answer = await persist<Answer>("POST", `${pathOf(query.category)}/search`,
        { filterClauses: clausesOf(query, field), aggregation: { field }, max: 0 }, { signal });
    return answer.aggregation?.buckets.filter((bucket) => bucket.value !== "") ?? [];
}

/** The components behind references, in their order; those that are gone, or may not be read, are left out. */
export async function lookUp(references: Reference[], signal: AbortSignal): Promise<Found[]> {
    const found = new Map<string, Found>();
    const chunks: Promise<void>[] = [];
    for (const category of new Set(references.map((one) => one.category))) {
        const ids = references.filter((one) => one.category === category).map((one) => one.id);
        for (let at = 0; at < ids.length; at += LOOK_UP_MOST) {
            const values = ids.slice(at, at + LOOK_UP_MOST);
            const request = { filterClauses: [{ criteria: [{ name: "id", operator: "EQUALS_TO", values }] }] };
            chunks.push(run(category, request, { max: values.length }, signal)
                .then((page) => page.results.forEach((one) => found.set(`${category}/${one.id}`, one))));
        }
    }
    await Promise.all(chunks);
    return references.map((one) => found.get(`${one.category}/${one.id}`)).filter((one) => one !== undefined);
}

/** Keeps a search as an export; the address of its file. */
export async function exportOf(query: Query, fields: string[]): Promise<string> {
    const language = navigator.language.replace("-", "_");
    const request = { ...requestOf(query), ...(fields.length > 0 ? { selectClause: { fields: [...OWN, ...fields] } } : {}) };
    const { jobId } = await persist<{ jobId: string }>("POST", `${pathOf(query.category)}/search/csv?locale=${encodeURIComponent(language)}`, request);
    return `${pathOf(query.category)}/search/job?jobId=${encodeURIComponent(jobId)}`;
}
