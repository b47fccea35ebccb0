import Configuration
import Destinations
import Foundation
import Testing

@Suite("The store of secrets")
struct SecretStoreTests {
    /// A store over a folder of files, and the redactor that learns from it.
    private func store(_ directory: String) -> (SecretStore, Redactor) {
        let redactor = Redactor()
        let surroundings = SecretSurroundings(credentialsDirectory: directory) {
            ["HOOK": "CANARY-env"][$0]
        }
        return (SecretStore(surroundings: surroundings, redactor: redactor), redactor)
    }

    private func write(_ text: String, _ path: String) throws {
        // By another name first, as whoever changes secrets with care does.
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    @Test(
        "fetches plain texts, variables, credentials and files, and the redactor knows all but plain ones"
    )
    func fetched() throws {
        try withTemporaryDirectory { directory in
            try write("CANARY-credential\n", "\(directory)/crm")
            try write("CANARY-file", "\(directory)/key")
            var (store, redactor) = store(directory)
            #expect(try store.secret(.plain("visible"), of: "a").reveal() == "visible")
            #expect(try store.secret(.environment("HOOK"), of: "a").reveal() == "CANARY-env")
            #expect(try store.secret(.credential("crm"), of: "a").reveal() == "CANARY-credential")
            #expect(try store.secret(.file("\(directory)/key"), of: "a").reveal() == "CANARY-file")
            #expect(
                redactor.redact("visible CANARY-env CANARY-credential CANARY-file")
                    == "visible *** *** ***"
            )
        }
    }

    @Test("a changed file names those who use it, once, and gives them the new secret")
    func changed() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/key"
            try write("CANARY-old", path)
            try write("CANARY-other", "\(directory)/crm")
            var (store, redactor) = store(directory)
            for owner in ["b", "a"] { _ = try store.secret(.file(path), of: owner) }
            _ = try store.secret(.credential("crm"), of: "c")
            #expect(store.look(now: 0) == SecretStore.Look())
            try write("CANARY-new", path)
            let look = store.look(now: 60_000)
            #expect(look.changedOwners == ["a", "b"])
            #expect(look.problems == [])
            #expect(try store.secret(.file(path), of: "a").reveal() == "CANARY-new")
            #expect(store.look(now: 120_000) == SecretStore.Look())
            // What was under way with the old one may still be told.
            #expect(redactor.redact("CANARY-old CANARY-new") == "*** ***")
        }
    }

    @Test("the credential of systemd is looked at as any file")
    func credential() throws {
        try withTemporaryDirectory { directory in
            try write("CANARY-1", "\(directory)/crm")
            var (store, _) = store(directory)
            _ = try store.secret(.credential("crm"), of: "crm")
            try write("CANARY-2", "\(directory)/crm")
            #expect(store.look(now: 0).changedOwners == ["crm"])
        }
    }

    @Test("a file that was written anew with the same secret concerns nobody")
    func same() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/key"
            try write("CANARY", path)
            var (store, _) = store(directory)
            _ = try store.secret(.file(path), of: "a")
            try write("CANARY\n", path)
            #expect(store.look(now: 0) == SecretStore.Look())
        }
    }

    @Test("files are looked at once a minute, and at once where that is urgent")
    func interval() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/key"
            try write("CANARY-1", path)
            var (store, _) = store(directory)
            _ = try store.secret(.file(path), of: "a")
            _ = store.look(now: 1_000_000)
            try write("CANARY-2", path)
            #expect(store.look(now: 1_059_999) == SecretStore.Look())
            #expect(store.look(now: 1_059_999, isUrgent: true).changedOwners == ["a"])
            try write("CANARY-3", path)
            #expect(store.look(now: 1_060_000) == SecretStore.Look())
            #expect(store.look(now: 1_119_999).changedOwners == ["a"])
        }
    }

    @Test("a file that is gone keeps the old secret and is told once, until it can be read again")
    func gone() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/key"
            try write("CANARY-old", path)
            var (store, _) = store(directory)
            _ = try store.secret(.file(path), of: "a")
            try FileManager.default.removeItem(atPath: path)
            let look = store.look(now: 0)
            #expect(look.changedOwners == [])
            #expect(look.problems.count == 1)
            let text = look.problems.map(\.description).joined()
            #expect(text.contains(path) && text.contains("No such file"), "\(text)")
            #expect(!text.contains("CANARY"))
            #expect(try store.secret(.file(path), of: "a").reveal() == "CANARY-old")
            #expect(store.look(now: 60_000) == SecretStore.Look())
            try write("", path)
            #expect(store.look(now: 120_000) == SecretStore.Look())
            try write("CANARY-new", path)
            #expect(store.look(now: 180_000).changedOwners == ["a"])
            try FileManager.default.removeItem(atPath: path)
            #expect(store.look(now: 240_000).problems.count == 1)
        }
    }

    @Test("what cannot be fetched the first time is an error")
    func missing() throws {
        try withTemporaryDirectory { directory in
            var (store, _) = store(directory)
            #expect(throws: SecretError.self) {
                try store.secret(.file("\(directory)/none"), of: "a")
            }
            #expect(store.look(now: 0) == SecretStore.Look())
        }
    }
}
