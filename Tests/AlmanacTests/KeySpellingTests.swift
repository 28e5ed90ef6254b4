import Almanac
import Columns
import JSON
import Testing

/// A key means the same however it comes: as a label, in `get`, over HTTP, in a commit, to `blame`.
@Suite struct KeySpellingTests {
  private static let keys: [Int64] = [0, 1, 9_007_199_254_740_992, 9_007_199_254_740_993, .max]

  /// Entities `keys`, each with its place among them as the value.
  private func workshop() throws -> Workshop {
    try .keyed(
      Self.keys.enumerated().map { (key: $1, value: $0) },
      features: """
        entities: [{name: e, keys: [{name: k, type: int64}]}]
        feature_views: [{name: w, entity: e, source: x, features: [{name: v, expr: v}]}]
        feature_services: [{name: s, features: ["w:v"]}]
        """)
  }

  struct Spelling: CustomStringConvertible {
    let text: String
    let key: Int64?
    /// JSON has such numbers; others are no JSON at all.
    var isJSON = true
    var description: String { "'\(text)'" }
  }

  static let spellings = [
    Spelling(text: "1", key: 1), Spelling(text: "1.0", key: 1), Spelling(text: "01", key: 1, isJSON: false),
    Spelling(text: "+1", key: 1, isJSON: false), Spelling(text: "-0", key: 0), Spelling(text: "-0.0", key: 0),
    Spelling(text: "-0e7", key: 0), Spelling(text: "1e0", key: 1), Spelling(text: "10e-1", key: 1),
    Spelling(text: "9007199254740992.0", key: 9_007_199_254_740_992), Spelling(text: "9007199254740993.0", key: 9_007_199_254_740_993),
    Spelling(text: "9.007199254740993e15", key: 9_007_199_254_740_993), Spelling(text: "9223372036854775807", key: .max),
    Spelling(text: "9223372036854775807.0", key: .max), Spelling(text: "9223372036854775808", key: nil),
    Spelling(text: "9223372036854775808.0", key: nil), Spelling(text: "1e19", key: nil), Spelling(text: "1.5", key: nil),
    Spelling(text: "1.0000000000000001", key: nil), Spelling(text: "-1e-400", key: nil), Spelling(text: " 1 ", key: nil, isJSON: false),
    Spelling(text: "0x1", key: nil, isJSON: false), Spelling(text: "", key: nil, isJSON: false),
    Spelling(text: "1_000", key: nil, isJSON: false),
  ]

  enum Way: String, CaseIterable {
    case labelCSV, labelLine, labelLineString, get, http, httpString, commitCSV, commitLine, commitLineString, blame

    var takesNumbers: Bool { [.labelLine, .http, .commitLine].contains(self) }
  }

  @Test(arguments: spellings) func everyWayTakesAKeyAlike(spelling: Spelling) throws {
    let workshop = try workshop()
    for way in Way.allCases where spelling.isJSON || !way.takesNumbers {
      // No text in CSV is null.
      if spelling.text.isEmpty && (way == .labelCSV || way == .commitCSV) { continue }
      var found: Int64?
      do {
        found = try self.key(spelling.text, way, workshop)
      } catch let error as AlmanacError {
        #expect(spelling.key == nil, "\(way): \(error)")
      }
      #expect(found == spelling.key, "\(way)")
    }
  }

  /// The key that a text stands for.
  private func key(_ text: String, _ way: Way, _ workshop: Workshop) throws -> Int64? {
    switch way {
    // Beside a fraction, so that the column would be one of floats.
    case .labelCSV: return try train(workshop.write("l.csv", "k,w\n\(text),1\n"), workshop)
    case .labelLine: return try train(workshop.write("l.jsonl", "{\"k\":\(text)}\n"), workshop)
    case .labelLineString: return try train(workshop.write("l.jsonl", "{\"k\":\"\(text)\"}\n"), workshop)
    case .get: return try Self.key(JSON(parsing: workshop.repository.get("s", keys: [("k", text)], at: nil)))
    case .http, .httpString:
      let value = way == .http ? text : "\"\(text)\""
      let body = Array("{\"feature_service\":\"s\",\"entities\":{\"k\":[\(value)]}}".utf8)
      let service = try OnlineService(repository: workshop.repository)
      let answer = body.withUnsafeBytes { service.answer($0) }
      guard answer.status == 200 else { throw AlmanacError(.failed, "\(answer.status)") }
      return try Self.key(JSON(parsing: answer.body))
    case .commitCSV: return try commit(workshop.write("c.csv", "k,v\n\(text),7\n"), workshop)
    case .commitLine: return try commit(workshop.write("c.jsonl", "{\"k\":\(text),\"v\":7}\n"), workshop)
    case .commitLineString: return try commit(workshop.write("c.jsonl", "{\"k\":\"\(text)\",\"v\":7}\n"), workshop)
    case .blame: return try workshop.repository.blame("x", key: [("k", text)]).lines[1].value.int.map { Self.keys[Int($0)] }
    }
  }

  private func train(_ labels: String, _ workshop: Workshop) throws -> Int64? {
    let request = TrainingRequest(service: "s", labels: .file(labels), output: workshop.path("out.parquet"))
    return try workshop.train(request).columns.last!.scalar(at: 0).int.map { Self.keys[Int($0)] }
  }

  private static func key(_ answer: JSON) throws -> Int64? {
    answer["results"]?.arrayValue?[1]["values"]?.arrayValue?.first?.intValue.map { keys[Int($0)] }
  }

  /// The row that an upsert changes; the dataset is then as before.
  private func commit(_ path: String, _ workshop: Workshop) throws -> Int64? {
    let before = try workshop.rows("x")
    try workshop.commit("x", path, .upsert)
    let changed = try workshop.rows("x").filter { !before.contains($0) }
    try workshop.commit("x", workshop.write("x.csv", "k,v\n" + before.map { "\($0[0].int!),\($0[1].int!)\n" }.joined()), .upsert)
    #expect(changed.count == 1)
    return changed.first?[0].int
  }

  /// A column of labels that holds several spellings stays as the file has it.
  @Test func labelsKeepTheirText() throws {
    let workshop = try workshop()
    let path = try workshop.write("l.csv", "k,w\n01,1\n9007199254740993.0,2\nNaN,3\n,4\n")
    let result = try workshop.train(TrainingRequest(service: "s", labels: .file(path), output: workshop.path("out.parquet")))
    #expect(result.columns[0].scalars == [.string("01"), .string("9007199254740993.0"), .string("NaN"), .null])
    #expect(result.columns[2].scalars == [.int(1), .int(3), .null, .null])
    let bad = try workshop.write("l.csv", "k,w\n01,1\n1.5,2\n")
    let error = #expect(throws: AlmanacError.self) {
      try workshop.train(TrainingRequest(service: "s", labels: .file(bad), output: workshop.path("out.parquet")))
    }
    #expect(error?.kind == .failed)
    #expect(
      error?.description.hasSuffix(
        "Cannot use label column k as key k of entity e in feature view w: Cannot convert utf8 to int64: row 2 holds \"1.5\", which int64 "
          + "cannot hold exactly") == true, "\(String(describing: error))")
  }
}
