import Checks
import Columns
import History
import JSON
import Tables

extension Repository {
  /// The shape of one entry of `log --json`.
  package func logEntry(_ id: CommitID, _ commit: Commit) throws(AlmanacError) -> JSON { try logEntries([(id, commit)])[0] }

  /// The entries of `log --json`.
  /// - Complexity: O(commits + the leaves of all of them, each once)
  package func logEntries(_ commits: [(id: CommitID, commit: Commit)]) throws(AlmanacError) -> [JSON] {
    var form = CanonicalForm(archive)
    return try AlmanacError.translating {
      try commits.map { id, commit -> JSON in
        let datasets = commit.datasets.mapValues { reference -> JSON in
          ["root": .string(reference.root.description), "rows": .int(Int64(reference.rows))]
        }
        return [
          "id": .string(id.description), "parents": .array(commit.parents.map { .string($0.description) }),
          "message": .string(commit.message), "author": .string(commit.author),
          "time": .string(CivilTime.formatTimestampMicros(commit.timeMicros)), "datasets": .object(datasets),
          "definitions": .string(commit.definitions.description),
          "canonical": .bool(try commit.datasets.values.allSatisfy { try form.holds(for: $0.root) }),
        ]
      }
    }
  }

  /// Commits that `spec` reaches, newest first.
  package func log(_ spec: String? = nil, limit: Int? = nil) throws(AlmanacError) -> [(id: CommitID, commit: Commit)] {
    let start: CommitID
    if let spec {
      start = try resolve(spec)
    } else if let tip = try currentTip() {
      start = tip
    } else {
      return []
    }
    return try AlmanacError.translating { try archive.log(from: start, limit: limit).map { ($0.0, $0.1) } }
  }

  package func verdicts(of commit: Commit) throws(AlmanacError) -> JSON {
    guard let id = commit.verdicts else { return [:] }
    return try AlmanacError.translating { try JSON(parsing: archive.blob(id)) }
  }

  package func refs(_ kind: RefKind) throws(AlmanacError) -> [Ref] {
    try AlmanacError.translating { try archive.refs().filter { $0.kind == kind }.sorted { $0.name < $1.name } }
  }

  package func createBranch(_ name: String, at spec: String?) throws(AlmanacError) {
    try AlmanacError.translating { try archive.createBranch(name, at: resolve(spec ?? "HEAD")) }
  }

  package func createTag(_ name: String, at spec: String?) throws(AlmanacError) {
    try AlmanacError.translating { try archive.createTag(name, at: resolve(spec ?? "HEAD")) }
  }

  package func deleteRef(_ name: String, kind: RefKind) throws(AlmanacError) {
    guard let ref = try refs(kind).first(where: { $0.name == name }) else {
      throw AlmanacError(.notFound, "There is no \(kind) \(name)")
    }
    if kind == .branch, try headBranch() == name {
      throw AlmanacError(.failed, "Cannot delete branch \(name): it is the current one", hint: "Switch to another branch first.")
    }
    _ = try AlmanacError.translating { try archive.deleteRef(name, expecting: ref.commit) }
  }

  /// Whether the current branch is none, though there are branches.
  package func lacksBranch(_ name: String) throws(AlmanacError) -> Bool {
    let branches = try refs(.branch)
    return !branches.isEmpty && !branches.contains { $0.name == name }
  }

  /// The tip of the current branch; nil before its first commit.
  /// - Throws: `io` when the current branch is one that was there once, or never was, while there are others: nothing is read or built
  ///   on as if there were no history.
  func currentTip() throws(AlmanacError) -> CommitID? {
    let branch = try headBranch()
    if let tip = try tip(of: branch) { return tip }
    try checkIsThere(branch)
    return nil
  }

  /// - Throws: as `currentTip`, for a branch that has no commit.
  func checkIsThere(_ branch: String) throws(AlmanacError) {
    guard try lacksBranch(branch) else {
      let last = try AlmanacError.translating { try archive.reflog(branch).last }
      guard try refs(.branch).isEmpty, last?.new != nil else { return }
      throw AlmanacError(
        .io, "Cannot use the current branch \(branch): the catalog says what it was moved to, but has the branch no more",
        hint: "`almanac fsck --repair` makes the catalog anew.")
    }
    // The branch of a new repository, where branches came from elsewhere.
    let isNew = try AlmanacError.translating { try branch == Archive.firstHead && archive.reflog(branch).isEmpty }
    guard !isNew else { return }
    throw AlmanacError(.io, "Cannot use the current branch \(branch)\(try explainNoCommits(on: branch))")
  }

  /// What `status` says behind the name of a branch that names no commit.
  package func explainNoCommits(on branch: String) throws(AlmanacError) -> String {
    guard try lacksBranch(branch) else { return ", no commits yet" }
    let names = try refs(.branch).map(\.name)
    return
      ", which is not there (there is \(names.joined(separator: ", "))): `almanac branch \(names[0]) --switch` makes another the current one"
  }

  package func switchBranch(to name: String) throws(AlmanacError) {
    guard try refs(.branch).contains(where: { $0.name == name }) else {
      throw AlmanacError(.notFound, "There is no branch \(name)", hint: "Make it with: almanac branch \(name)")
    }
    try AlmanacError.translating { try archive.setHead(name) }
  }

  /// Writes one dataset at one commit to a file, in the order of its key within partitions.
  /// - Parameters:
  ///   - format: the file's format, if not that of its name.
  ///   - filter: an expression over the dataset's columns; rows for which it is true are written.
  /// - Returns: how many rows were written.
  package func checkout(
    _ spec: String, _ dataset: String, to output: String, format: FileFormat? = nil, columns: [String]? = nil,
    filter: String? = nil, progress: ProgressHandler? = nil
  ) throws(AlmanacError) -> Int {
    try checkOutside(output)
    let id = try resolve(spec)
    let lease = try lease([id])
    defer { withExtendedLifetime(lease) {} }
    let version = try table(dataset, at: id)
    let schema = version.layout.schema
    let selected = columns ?? version.layout.visibleColumns
    guard !selected.isEmpty, Set(selected).count == selected.count else {
      throw AlmanacError(.usage, "Cannot check out \(dataset): --columns names \(selected.isEmpty ? "no column" : "a column twice")")
    }
    for name in selected where schema.index(of: name) == nil {
      let known = version.layout.visibleColumns.joined(separator: ", ")
      throw AlmanacError(.failed, "Dataset \(dataset) has no column \(name)", hint: "Its columns are: \(known).")
    }
    let condition = try filter.map { (text) throws(AlmanacError) in try Predicate(text, schema: schema) }
    let needed = selected + (condition?.columns ?? []).filter { !selected.contains($0) }
    let target = try TableOutput(path: output, schema: Schema(selected.map { schema[$0]! }), format: format)
    var written = 0
    var seen = 0
    try AlmanacError.translating {
      try version.forEachBatch(columns: needed) { batch in
        let rows = try (condition.map { try $0.filter(batch, firstRow: seen) } ?? batch).selecting(selected)!
        seen += batch.rowCount
        try target.write(rows)
        written += rows.rowCount
        progress?("writing \(dataset)", seen, version.rowCount)
      }
      try target.finish()
    }
    return written
  }
}
