// All ACLs of the scope.
import { type Acl, acls } from "../lib/acls";
import { count, several } from "../lib/figures";
import { paths } from "../lib/router";
import { Link } from "../ui/link";
import { readClasses } from "./classes";
import { Answer, Head } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const CALM_MS = 15_000;

interface Row { acl: Acl; users: string[] }

async function read(signal: AbortSignal): Promise<Row[]> {
    const [list, classes] = await Promise.all([acls.list(signal), readClasses(signal)]);
    return list.map((acl) => ({ acl, users: classes.filter((c) => c.data?.ACL === acl.id).map((c) => c.id) }));
}

const columns: Column<Row>[] = [
    { head: "ACL", kind: "main", cell: ({ acl }) => <Link href={paths.admin("acls", acl.id)} data-testid="acl-open">{acl.name || acl.id}</Link> },
    { head: "Id", cell: ({ acl }) => <span class="mono">{acl.id}</span> },
    {
        head: "Decides by", cell: ({ acl }) => (acl.rules?.length
            ? several(acl.rules.length, "rule")
            : several(acl.entries?.length ?? 0, "entry", "entries")),
    },
    { head: "Classes", cell: ({ users }) => users.join(", ") },
    { head: "Version", kind: "number", cell: ({ acl }) => count(acl.data?.version ?? 0) },
];

export function Acls() {
    const rows = usePolled("acls", read, CALM_MS);
    return (
        <>
            <Head title="ACLs" count={rows.data ? several(rows.data.length, "ACL") : ""} />
            <Answer
                of={rows}
                none={(list) => (list.length > 0 ? "" : "This scope has no ACLs yet.")}
                show={(list) => <DataTable caption="ACLs" columns={columns} rows={list} keyOf={({ acl }) => acl.id} testId="acls" />}
            />
        </>
    );
}
