import Almanac
import JSON

/// How the calls of `Remote` look in HTTP: small questions and answers are JSON, objects are packs, files are bytes
/// (schemas/openapi.yaml).
enum RemoteWire {
  static let format: Int64 = 1

  // Limits of bodies: above what a `Transfer` sends, below what fills a memory.
  static let questionByteCountMax = 8 << 20
  static let packByteCountMax = 64 << 20
  static let pieceByteCountMax = Transfer.pieceByteCountMax

  // MARK: Ids

  static func text(_ key: ObjectKey) -> String { "\(key.kind.name):\(key.id)" }

  static func key(kind: some StringProtocol, id: some StringProtocol) -> ObjectKey? {
    guard let kind = ObjectKind.allCases.first(where: { $0.name == kind }), let id = ObjectHash(hex: id) else { return nil }
    return ObjectKey(kind: kind, id: id)
  }

  static func key(_ text: String) -> ObjectKey? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 ? key(kind: parts[0], id: parts[1]) : nil
  }

  static func json(_ keys: [ObjectKey]) -> JSON { .array(keys.map { .string(text($0)) }) }
  static func json(_ ids: [CommitName]) -> JSON { .array(ids.map { .string($0.hex) }) }

  static func keys(_ json: JSON?, _ name: String) throws(StoreError) -> [ObjectKey] {
    var keys: [ObjectKey] = []
    for item in try array(json, name) {
      guard let key = item.stringValue.flatMap(Self.key) else { throw malformed("each of \(name) must be a kind and an id") }
      keys.append(key)
    }
    return keys
  }

  static func commits(_ json: JSON?, _ name: String) throws(StoreError) -> [CommitName] {
    var ids: [CommitName] = []
    for item in try array(json, name) { ids.append(try commit(item, name)) }
    return ids
  }

  // MARK: Refs

  static func json(_ state: RemoteState) -> JSON {
    let refs = state.refs.map { ref -> JSON in
      ["name": .string(ref.name), "kind": .string(ref.kind.name), "commit": .string(ref.commit.hex)]
    }
    return ["format": .int(format), "head": .string(state.head), "refs": .array(refs)]
  }

  static func state(_ json: JSON) throws(StoreError) -> RemoteState {
    guard json["format"]?.intValue == format else { throw malformed("format must be \(format); use a program that knows the other") }
    var refs: [RefDescription] = []
    for item in try array(json["refs"], "refs") {
      refs.append(
        RefDescription(name: try string(item["name"], "name"), kind: try kind(item["kind"]), commit: try commit(item["commit"], "commit")))
    }
    return RemoteState(refs: refs, head: try string(json["head"], "head"))
  }

  static func json(_ steps: [RefStep]) -> JSON {
    .array(
      steps.map { step in
        [
          "old": step.old.map { .string($0.hex) } ?? .null, "new": step.new.map { .string($0.hex) } ?? .null,
          "time": .int(step.timeMicros), "reason": .string(step.reason),
        ]
      })
  }

  static func steps(_ json: JSON?) throws(StoreError) -> [RefStep] {
    var steps: [RefStep] = []
    for item in try array(json, "moves") {
      steps.append(
        RefStep(
          old: try optionalCommit(item["old"], "old"), new: try optionalCommit(item["new"], "new"),
          timeMicros: try integer(item["time"], "time"), reason: try string(item["reason"], "reason")))
    }
    return steps
  }

  static func json(_ update: RefUpdate) -> JSON {
    [
      "name": .string(update.name), "kind": .string(update.kind.name), "expecting": update.expecting.map { .string($0.hex) } ?? .null,
      "new": .string(update.new.hex), "force": .bool(update.isForced), "reason": .string(update.reason), "moves": json(update.steps),
    ]
  }

  static func update(_ json: JSON) throws(StoreError) -> RefUpdate {
    RefUpdate(
      name: try string(json["name"], "name"), kind: try kind(json["kind"]),
      expecting: try optionalCommit(json["expecting"], "expecting"), new: try commit(json["new"], "new"),
      isForced: json["force"]?.boolValue ?? false, reason: try string(json["reason"], "reason"), steps: try steps(json["moves"]))
  }

  static func json(_ outcome: RefUpdateOutcome, of update: RefUpdate) -> JSON {
    switch outcome {
    case .moved: ["outcome": "moved"]
    case .lostRace(let current):
      [
        "outcome": "lostRace", "current": current.map { .string($0.hex) } ?? .null,
        "detail": .string("\(update.name) is at \(current?.short ?? "nothing"), not at \(update.expecting?.short ?? "nothing")"),
      ]
    case .notFastForward:
      ["outcome": "notFastForward", "detail": .string("\(update.new.short) does not come after what \(update.name) is at")]
    }
  }

  static func outcome(_ json: JSON) throws(StoreError) -> RefUpdateOutcome {
    switch json["outcome"]?.stringValue {
    case "moved": .moved
    case "lostRace": .lostRace(current: try optionalCommit(json["current"], "current"))
    case "notFastForward": .notFastForward
    default: throw malformed("outcome is missing or unknown")
    }
  }

  // MARK: Errors

  static let kinds: [(name: String, kind: StoreError.Kind, status: Int)] = [
    ("notFound", .notFound, 404), ("corrupt", .corrupt, 422), ("exists", .exists, 409), ("invalid", .invalid, 400),
    ("refused", .refused, 403),
  ]

  static func json(_ error: StoreError) -> JSON {
    ["detail": .string(error.text), "kind": .string(kinds.first { $0.kind == error.kind }?.name ?? "io")]
  }

  static func malformed(_ what: String) -> StoreError { StoreError(kind: .invalid, text: "Cannot read the message: \(what)") }

  static func parse(_ bytes: [UInt8]) throws(StoreError) -> JSON {
    do {
      return try JSON(parsing: bytes)
    } catch {
      throw malformed("\(error)")
    }
  }

  // MARK: Members

  static func integer(_ json: JSON?, _ name: String) throws(StoreError) -> Int64 {
    guard let value = json?.intValue else { throw malformed("\(name) must be an integer") }
    return value
  }

  private static func array(_ json: JSON?, _ name: String) throws(StoreError) -> [JSON] {
    guard let items = json?.arrayValue else { throw malformed("\(name) must be an array") }
    return items
  }

  private static func string(_ json: JSON?, _ name: String) throws(StoreError) -> String {
    guard let text = json?.stringValue else { throw malformed("\(name) must be a string") }
    return text
  }

  private static func commit(_ json: JSON?, _ name: String) throws(StoreError) -> CommitName {
    guard let id = CommitName(hex: try string(json, name)) else { throw malformed("\(name) must be the id of a commit") }
    return id
  }

  private static func optionalCommit(_ json: JSON?, _ name: String) throws(StoreError) -> CommitName? {
    if json == nil || json == .null { return nil }
    return try commit(json, name)
  }

  private static func kind(_ json: JSON?) throws(StoreError) -> RefKind {
    switch json?.stringValue {
    case RefKind.branch.name: .branch
    case RefKind.tag.name: .tag
    default: throw malformed("kind must be branch or tag")
    }
  }
}
