import Checks
import History
import JSON
import Objects

/// The contracts that commits have registered, each set of definitions read once.
struct RegisteredContracts {
  let archive: Archive
  private var known: [BlobID: [String: Contract]] = [:]

  init(_ archive: Archive) { self.archive = archive }

  /// - Throws: `notFound` when the commit is not stored; `corrupt` for definitions that are none.
  mutating func at(_ id: CommitID) throws(StoreError) -> [String: Contract] { try of(archive.commit(id), id) }

  /// The same for a commit that has been read.
  mutating func of(_ commit: Commit, _ id: CommitID) throws(StoreError) -> [String: Contract] {
    if let known = known[commit.definitions] { return known }
    do {
      let found = try Definitions(json: JSON(parsing: archive.blob(commit.definitions))).contracts
      known[commit.definitions] = found
      return found
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(kind: .corrupt, text: "Cannot read the definitions of commit \(id): \(error)")
    }
  }
}
