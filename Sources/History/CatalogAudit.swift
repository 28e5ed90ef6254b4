import Objects

/// What in a catalog contradicts itself: rows that cannot be, moves that do not follow from each other, refs that are not where
/// their last move leads. It takes the catalog alone, no packs and no files.
///
/// All of it can be made anew from packs, files and the ref log (`CatalogRebuild`).
struct CatalogAudit {
  private(set) var problems: [CheckReport.Problem] = []
  /// By key; of rows that name one object twice the first.
  private(set) var records: [ObjectKey: ObjectRecord] = [:]
  private(set) var refs: [String: RefRecord] = [:]

  /// - Complexity: O(rows)
  init(_ survey: CatalogSurvey) {
    for problem in survey.problems { add("the catalog", problem) }
    auditObjects(survey)
    auditRefs(survey)
    auditSettings(survey)
  }

  private mutating func add(_ object: String, _ detail: String) {
    problems.append(.init(.damage, object, path: Archive.catalogName, detail))
  }

  private mutating func auditObjects(_ survey: CatalogSurvey) {
    for record in survey.objects {
      guard let kind = ObjectKind(rawValue: record.kind) else {
        add("the catalog", "it has an object of unknown kind \(record.kind)")
        continue
      }
      let key = ObjectKey(kind: kind, id: Hash256(bytes: record.id))
      if records[key] != nil { add("the catalog", "it has two rows for \(kind.name) \(key.id)") }
      if kind.hasOwnFile != (record.place == .ownFile) {
        add("\(kind.name) \(key.id)", "the catalog names \(kind.hasOwnFile ? "a pack" : "no pack") for it")
      } else if kind.hasOwnFile && record.fileSHA256 == nil {
        add("\(kind.name) \(key.id)", "the catalog has no SHA-256 of its file")
      } else if records[key] == nil {
        records[key] = record
      }
    }
  }

  private mutating func auditRefs(_ survey: CatalogSurvey) {
    var expected: [String: RefRecord] = [:]
    var lastSequence: Int64 = 0
    // Times ascend for each ref: a log that came from elsewhere keeps those it had there.
    var lastMicros: [String: Int64] = [:]
    for move in survey.moves {
      let isNext = move.sequence == lastSequence + 1 && move.timeMicros > lastMicros[move.ref] ?? .min
      if !isNext || move.old != expected[move.ref]?.target || RefKind(rawValue: move.refKind) == nil {
        add("the ref log in the catalog", "move \(move.sequence) of \(move.ref) does not follow from the moves before it")
      }
      expected[move.ref] = move.new.map { RefRecord(name: move.ref, kind: move.refKind, target: $0) }
      lastSequence = move.sequence
      lastMicros[move.ref] = move.timeMicros
    }
    for ref in survey.refs {
      if refs[ref.name] != nil { add("ref \(ref.name)", "the catalog has two rows for it") }
      if RefKind(rawValue: ref.kind) == nil { add("ref \(ref.name)", "it is of the unknown kind \(ref.kind)") }
      if !RefName.isValid(ref.name) { add("ref \(ref.name.prefix(40))", "no ref can have this name") }
      refs[ref.name] = ref
    }
    for name in Set(refs.keys).union(expected.keys).sorted() where refs[name] != expected[name] {
      let wanted = expected[name].map { "\(Hash256(bytes: $0.target))" } ?? "none"
      let found = refs[name].map { "\(Hash256(bytes: $0.target))" } ?? "none"
      add(
        "ref \(name)",
        wanted == found ? "its last move makes another kind of ref of it" : "its last move leads to \(wanted), it stands for \(found)")
    }
  }

  private mutating func auditSettings(_ survey: CatalogSurvey) {
    if let head = survey.settings[Archive.headSetting] {
      if !RefName.isValid(head) {
        add("the setting \(Archive.headSetting)", "\"\(head.prefix(40))\" cannot be the name of the current branch")
      } else if let others = Self.branches(survey, without: head) {
        // Nothing was ever committed to the branch that a new repository has, where branches came from elsewhere.
        if head == Archive.firstHead && !survey.moves.contains(where: { $0.ref == head }) {
          let detail = "the current branch \(head) has no commit yet; there is \(others)"
          problems.append(.init(.note, "the setting \(Archive.headSetting)", path: Archive.catalogName, detail))
        } else {
          add("the setting \(Archive.headSetting)", "it names the branch \(head), which is not there; there is \(others)")
        }
      }
    } else {
      add("the setting \(Archive.headSetting)", "it is missing: no branch is the current one")
    }
    for (name, address) in survey.settings.sorted(by: { $0.key < $1.key }) {
      if let detail = Self.remoteProblem(name, address) { add("the setting \(name.prefix(40))", detail) }
    }
    if let expired = survey.settings[Archive.expiredSetting], Int64(expired) == nil {
      add("the setting \(Archive.expiredSetting)", "expected microseconds, found \"\(expired.prefix(40))\"")
    }
  }

  /// The names of the branches, if there are any and a name is none of them.
  private static func branches(_ survey: CatalogSurvey, without name: String) -> String? {
    let names = survey.refs.filter { $0.kind == RefKind.branch.rawValue }.map(\.name).sorted()
    return names.isEmpty || names.contains(name) ? nil : names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
  }

  /// What is wrong with a setting if it is one of a remote repository; nil: nothing.
  static func remoteProblem(_ name: String, _ address: String) -> String? {
    if name == Archive.cloningSetting { return address.isEmpty ? "it has no address" : nil }
    guard name.hasPrefix(Archive.remotePrefix) else { return nil }
    guard RefName.isValid(String(name.dropFirst(Archive.remotePrefix.count))) else { return "no remote repository can have this name" }
    return address.isEmpty ? "it has no address" : nil
  }

  /// The moves from the first on that follow from each other.
  static func consistentPrefix(_ moves: [RefLogRecord]) -> [RefLogRecord] {
    var targets: [String: [UInt8]] = [:]
    var lastMicros: [String: Int64] = [:]
    var count = 0
    for move in moves {
      guard move.sequence == Int64(count + 1), move.old == targets[move.ref], move.timeMicros > lastMicros[move.ref] ?? .min,
        RefLogRecord.timeMicrosRange.contains(move.timeMicros), RefKind(rawValue: move.refKind) != nil, RefName.isValid(move.ref)
      else { break }
      targets[move.ref] = move.new
      lastMicros[move.ref] = move.timeMicros
      count += 1
    }
    return Array(moves.prefix(count))
  }
}
