// The cluster's picture and figures, and their last minutes: kept in memory, so that a look at another part does not lose them.
import { admin, type Cluster, type Health, MOST_DOCUMENTS } from "../lib/admin";
import type { Sample } from "./spark";

export const WINDOW_MS = 5 * 60_000;
const CALM_MS = 10_000; /* how often many documents are counted */
const MANY = 200;

export interface Picture {
    cluster: Cluster;
    health: Health | null;
    connections: Sample[];
    documents: Sample[];
    unstored: Sample[];
    partial: boolean; /* unstored: of the first documents alone */
}

const kept: Record<"connections" | "documents" | "unstored", Sample[]> = { connections: [], documents: [], unstored: [] };
let partial = false;
let countedAt = 0;
let found = 0;

function keep(which: keyof typeof kept, value: number): void {
    const at = Date.now();
    kept[which] = [...kept[which].filter((sample) => sample.at > at - WINDOW_MS), { at, value }];
}

export async function readPicture(signal: AbortSignal): Promise<Picture> {
    const due = found < MANY || Date.now() - countedAt > CALM_MS;
    const [cluster, health, rows] = await Promise.all([
        admin.cluster(signal), admin.health(signal), due ? admin.documents("", MOST_DOCUMENTS, signal) : null,
    ]);
    keep("connections", cluster.members.filter((m) => m.role === "core").reduce((sum, m) => sum + m.load, 0));
    if (rows) {
        countedAt = Date.now();
        found = rows.found;
        partial = rows.next !== null || rows.members.some((m) => !m.ok);
        keep("documents", rows.found);
        keep("unstored", rows.results.reduce((sum, row) => sum + row.unstoredBytes, 0));
    }
    return { cluster, health, ...kept, partial };
}
