// The classes of the scope and the ACLs that guard them.
import { called, type Name } from "../lib/names";
import { call } from "../lib/api";
import { count, several } from "../lib/figures";
import { paths } from "../lib/router";
import { Link } from "../ui/link";
import { Answer, Head } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const CALM_MS = 15_000;

interface ClassRow {
    id: string;
    category: string;
    active?: boolean;
    collaborative?: boolean;
    displayNames?: Name[];
    data?: { ACL?: string };
    tagReferences?: unknown[];
}

const KINDS = [
    { path: "documentclass", word: "document" },
    { path: "folderclass", word: "folder" },
    { path: "taskclass", word: "task" },
    { path: "virtualfolderclass", word: "virtual folder" },
];

export async function readClasses(signal: AbortSignal): Promise<ClassRow[]> {
    const lists = await Promise.all(KINDS.map(async ({ path, word }) =>
        (await call<ClassRow[]>("GET", `/core/rest/${path}`, undefined, { signal })).map((row) => ({ ...row, category: word }))));
    return lists.flat();
}

function traits(row: ClassRow): string {
    return [row.active === false && "not active", row.collaborative && "edited together"].filter(Boolean).join(", ");
}

const columns: Column<ClassRow>[] = [
    { head: "Class", kind: "main", cell: (r) => called(r.displayNames, r.id) },
    { head: "Id", cell: (r) => <span class="mono">{r.id}</span> },
    { head: "Of", cell: (r) => r.category },
    { head: "Tags", kind: "number", cell: (r) => count(r.tagReferences?.length ?? 0) },
    { head: "Traits", cell: traits },
    { head: "ACL", cell: (r) => (r.data?.ACL ? <Link href={paths.admin("acls", r.data.ACL)}>{r.data.ACL}</Link> : "none: nobody may") },
];

export function Classes() {
    const classes = usePolled("classes", readClasses, CALM_MS);
    return (
        <>
            <Head title="Classes" count={classes.data ? several(classes.data.length, "class", "classes") : ""} />
            <Answer
                of={classes}
                none={(list) => (list.length > 0 ? "" : "This scope has no classes yet.")}
                show={(list) => <DataTable caption="Classes" columns={columns} rows={list} keyOf={(r) => `${r.category} ${r.id}`} testId="classes" />}
            />
        </>
    );
}
