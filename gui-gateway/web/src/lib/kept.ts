// What a person keeps: favourites and searches. REST, through the gateway's proxy.
import { call, persist } from "./api";
import { type Reference, ROOT } from "./components";
import type { Name } from "./names";
import { addressOf } from "./query";
import { NEWEST, OPERATORS, type Query, requestOf, type Where } from "./search";

// ---- favourites ----

const FAVOURITES = `${ROOT}/preferences/favorites`;

export const favourites = {
    list: (signal: AbortSignal) => persist<Reference[]>("GET", FAVOURITES, undefined, { signal }),

    set: (one: Reference, on: boolean) => (on
        ? call<void>("PUT", FAVOURITES, { category: one.category, id: one.id })
        : call<void>("DELETE", `${FAVOURITES}/reference/${one.category}/${encodeURIComponent(one.id)}`)),
};

// ---- searches ----

interface Criterion { name: string; operator: string; values: (string | number | boolean)[] }
interface Clause { type?: string | null; "@class"?: string | null; criteria?: Criterion[] | null; clauses?: unknown[] | null; filterClauses?: unknown[] | null }

export interface Stored {
    id: string;
    category: string;
    displayNames?: Name[];
    data?: { owner?: string };
    recipients?: { users?: string[] } | null;
    request: { filterClauses?: Clause[] | null; orderClauses?: { name: string; ascending?: boolean | null }[] | null };
}

const STORED = `${ROOT}/storedsearch`;

export const storedSearches = {
    list: (signal: AbortSignal) => persist<Stored[]>("GET", `${STORED}?max=200`, undefined, { signal }),

    async get(id: string, signal: AbortSignal): Promise<Stored> {
        return (await persist<Stored[]>("GET", `${STORED}/${encodeURIComponent(id)}`, undefined, { signal }))[0]!;
    },

    keep: (name: string, query: Query, users: string[]) => call<Stored[]>("POST", STORED, [{
        category: query.category, displayNames: [{ language: "EN", value: name }], recipients: { users }, request: requestOf(query),
    }]),

    remove: (id: string) => call<void>("DELETE", `${STORED}/${encodeURIComponent(id)}`),
};

const wordOf = (operator: string) => Object.keys(OPERATORS).find((word) => OPERATORS[word] === operator);

/** The search as this page asks it; null: it says more than the page can. */
function queryOfStored(stored: Stored): Query | null {
    const query: Query = { category: stored.category, classId: "", text: "", where: [], sort: NEWEST };
    const clauses = stored.request.filterClauses ?? [], orders = stored.request.orderClauses ?? [];
    for (const clause of clauses) {
        if (clause.clauses?.length || clause.filterClauses?.length || /Or/.test(clause.type ?? clause["@class"] ?? ""))
            return null;
        for (const one of clause.criteria ?? []) {
            const operator = wordOf(one.operator), values = one.values.map(String);
            if (!operator)
                return null;
            const where: Where = { field: one.name, operator, values };
            if (one.name.toLowerCase() === "content" && operator === "contains" && values.length === 1 && query.text === "")
                query.text = values[0]!;
            else if (one.name.toLowerCase() === "classid" && operator === "is" && values.length === 1 && query.classId === "")
                query.classId = values[0]!;
            else
                query.where.push(where);
        }
    }
    if (orders.length > 1)
        return null;
    return { ...query, sort: orders[0] ? `${orders[0].ascending === false ? "-" : ""}${orders[0].name}` : NEWEST };
}

/** Where the search is shown, behind the library's path. */
export function addressOfStored(stored: Stored): string {
    const query = queryOfStored(stored);
    return query ? addressOf(query) : `?saved=${encodeURIComponent(stored.id)}`;
}
