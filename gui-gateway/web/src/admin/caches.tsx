// Caches of what is read more often than written.
import { admin } from "../lib/admin";
import { several } from "../lib/figures";
import { confirmDialog } from "../ui/dialog";
import { notify, notifyError } from "../ui/toast";
import { act, Answer, Head } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const columns: Column<string>[] = [{ head: "Cache", kind: "main", cell: (name) => name }];

async function clear(refresh: () => void): Promise<void> {
    const sure = await confirmDialog({
        title: "Clear all caches?",
        body: <p>All members read classes, ACLs and scopes from the database again. Needed only after a change that was not made through Umbel.</p>,
        confirm: "Clear",
    });
    if (!sure)
        return;
    await act(async () => {
        const { nodes } = await admin.clearCaches();
        const slow = nodes.filter((node) => !node.ok);
        if (slow.length > 0)
            notifyError(`Not dropped yet at ${slow.map((node) => node.id).join(", ")}.`);
        else
            notify(`Dropped at ${several(nodes.length, "member")}`);
    }, "The caches are cleared", "Not cleared", refresh);
}

export function Caches() {
    const caches = usePolled("caches", admin.caches);
    return (
        <>
            <Head title="Caches" count={caches.data ? several(caches.data.length, "cache") : ""}>
                <button type="button" class="button" data-testid="caches-clear" onClick={() => void clear(caches.refresh)}>Clear all</button>
            </Head>
            <Answer
                of={caches}
                none={(list) => (list.length > 0 ? "" : "Nothing is cached yet.")}
                show={(list) => <DataTable caption="Caches" columns={columns} rows={list} keyOf={(name) => name} testId="caches" />}
            />
        </>
    );
}
