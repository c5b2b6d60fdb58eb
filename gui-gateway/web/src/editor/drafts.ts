// Changes that the server has not acknowledged, kept in this browser (IndexedDB) so that a crash, a reload or a
// lost session does not lose them. A record lives from the first unsaved change to the acknowledgement:
//   key   <user> NUL <document> NUL <id of this page>
//   value a Yjs update
// Where storage is forbidden nothing is kept, and nothing else suffers.

const DATABASE = "umbel";
const TABLE = "drafts";
const SEPARATOR = "\0";

export interface Draft {
    key: string;
    update: Uint8Array;
}

function open(): Promise<IDBDatabase> {
    return new Promise((done, fail) => {
        const request = indexedDB.open(DATABASE, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
        request.onsuccess = () => done(request.result);
        request.onerror = () => fail(request.error);
        request.onblocked = () => fail(new Error("blocked"));
    });
}

async function run<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const database = await open();
    try {
        return await new Promise<T>((done, fail) => {
            const transaction = database.transaction(TABLE, mode);
            const request = work(transaction.objectStore(TABLE));
            transaction.oncomplete = () => done(request.result);
            transaction.onerror = transaction.onabort = () => fail(transaction.error);
        });
    } finally {
        database.close();
    }
}

const prefixOf = (user: string, document: string) => user + SEPARATOR + document + SEPARATOR;

export const drafts = {
    keyFor: (user: string, document: string) => prefixOf(user, document) + Math.random().toString(36).slice(2),

    async all(user: string, document: string): Promise<Draft[]> {
        const prefix = prefixOf(user, document);
        const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
        try {
            const keys = await run("readonly", (table) => table.getAllKeys(range));
            const values = await run("readonly", (table) => table.getAll(range) as IDBRequest<Uint8Array[]>);
            return keys.map((key, i) => ({ key: String(key), update: values[i]! })).filter((draft) => draft.update);
        } catch {
            return [];
        }
    },

    /** False: not kept. */
    put: (key: string, update: Uint8Array) => run("readwrite", (table) => table.put(update, key)).then(() => true, () => false),

    drop: (key: string) => run("readwrite", (table) => table.delete(key)).then(() => true, () => false),
};
