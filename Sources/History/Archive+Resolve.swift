import Objects

extension Archive {
  /// The commit that a revision names: a branch, a tag, `HEAD`, or at least 4 digits of a commit id; then any number of
  /// `~n` (the nth first parent, `~` for 1). A ref may be followed by `@{time}`: what it stood for at that time, which needs an
  /// offset (`main@{2026-02-01T00:00:00Z}`).
  /// - Throws: `notFound` when there is nothing of that name, no such parent, or no entry of the log at or before the time;
  ///   `invalid` for what is no revision or fits several commits.
  package func resolve(_ revision: String) throws(StoreError) -> CommitID {
    func invalid(_ reason: String) -> StoreError {
      StoreError(kind: .invalid, text: "Cannot find \(revision): \(reason)")
    }
    let text = Substring(revision)
    let baseEnd = text.firstIndex { $0 == "~" || $0 == "@" } ?? text.endIndex
    let base = String(text[..<baseEnd])
    var rest = text[baseEnd...]
    var commit: CommitID
    if rest.hasPrefix("@") {
      guard rest.hasPrefix("@{"), let close = rest.firstIndex(of: "}") else {
        throw invalid("expected @{time} with a time like 2026-02-01T00:00:00Z")
      }
      let time = String(rest[rest.index(rest.startIndex, offsetBy: 2)..<close])
      let name = base.isEmpty || base == "HEAD" ? try headBranch() : base
      commit = try self.commit(of: name, atMicros: RevisionTime.micros(time, of: revision))
      rest = rest[rest.index(after: close)...]
    } else {
      commit = try resolveBase(base, of: revision)
    }
    while !rest.isEmpty {
      guard rest.first == "~" else { throw invalid("expected ~ and a number, found \(rest)") }
      rest = rest.dropFirst()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest[digits.endIndex...]
      guard let count = digits.isEmpty ? 1 : Int(digits) else { throw invalid("the number \(digits) is too great") }
      for step in 0..<count {
        guard let parent = try self.commit(commit).parents.first else {
          throw StoreError(kind: .notFound, text: "Cannot find \(revision): commit \(commit), \(step) before it, has no parent")
        }
        commit = parent
      }
    }
    return commit
  }

  /// What a ref stood for at a time.
  /// - Throws: `notFound` before the first entry of its log, or when it was deleted then.
  package func commit(of ref: String, atMicros timeMicros: Int64) throws(StoreError) -> CommitID {
    let moment = RevisionTime.text(ofMicros: timeMicros)
    guard let entry = try catalog.refLogEntry(ref: ref, atOrBefore: timeMicros) else {
      guard let first = try catalog.refLog(ref: ref).first else { throw Self.noRef(ref) }
      throw StoreError(
        kind: .notFound,
        text: "Cannot find \(ref) at \(moment): its log starts at \(RevisionTime.text(ofMicros: first.timeMicros))")
    }
    guard let commit = entry.new else {
      throw StoreError(kind: .notFound, text: "Cannot find \(ref) at \(moment): it had been deleted")
    }
    return CommitID(bytes: commit)
  }

  private func resolveBase(_ base: String, of revision: String) throws(StoreError) -> CommitID {
    let isHead = base.isEmpty || base == "HEAD"
    let name = isHead ? try headBranch() : base
    if let ref = try ref(named: name) {
      guard try isStored(ref.commit) else {
        throw StoreError(
          kind: .corrupt, text: "Cannot find \(name): it stands for commit \(ref.commit), which is not stored; `almanac fsck` says more")
      }
      return ref.commit
    }
    let head = try headBranch()
    if isHead || base == head {
      throw StoreError(kind: .notFound, text: "Cannot find \(revision.isEmpty ? "HEAD" : revision): branch \(name) has no commit yet")
    }
    let digits = base.lowercased()
    guard (4...64).contains(digits.utf8.count), digits.utf8.allSatisfy({ Hex.value(of: $0) != nil }) else {
      throw StoreError(kind: .notFound, text: "Cannot find \(revision): there is no branch, tag or commit \(base)")
    }
    func bound(_ filler: String) -> [UInt8] {
      (Hash256(hex: digits + String(repeating: filler, count: 64 - digits.utf8.count)))?.bytes ?? []
    }
    let found = try catalog.objectIDs(kind: ObjectKind.commit.rawValue, from: bound("0"), through: bound("f"), limit: 2)
    guard let id = found.first else {
      throw StoreError(kind: .notFound, text: "Cannot find \(revision): there is no branch, tag or commit \(base)")
    }
    guard found.count == 1 else {
      let both = found.map { Hash256(bytes: $0).description.prefix(16) }.joined(separator: ", ")
      throw StoreError(kind: .invalid, text: "Cannot find \(revision): several commits start so: \(both), …")
    }
    return CommitID(bytes: id)
  }
}
