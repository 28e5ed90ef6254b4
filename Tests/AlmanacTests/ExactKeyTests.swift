import Almanac
import Columns
import Foundation
import JSON
import Testing

/// Numbers that name an entity: exactly, or not at all. 9007199254740992 and 9007199254740993 are one double.
@Suite struct ExactKeyTests {
  private static let low: Int64 = 9_007_199_254_740_992

  /// Entities low and low + 1, with values 92 and 93, and 1 with value 1; a service `s` of value and of value × request.r (float32).
  private func workshop() throws -> Workshop {
    try .keyed(
      [(1, 1), (Self.low, 92), (Self.low + 1, 93)],
      features: """
        entities: [{name: e, keys: [{name: k, type: int64}]}]
        feature_views: [{name: w, entity: e, source: x, features: [{name: v, expr: v}]}]
        on_demand_features:
        - {name: scaled, request: [{name: r, type: float32}, {name: d, type: float64}], inputs: ["w:v"], expr: "request.r * v + request.d * 0"}
        feature_services: [{name: s, features: ["w:v"]}, {name: t, features: [scaled]}]
        """)
  }

  private func get(_ workshop: Workshop, _ key: String) throws -> [Scalar?] {
    let answer = try JSON(parsing: workshop.repository.get("s", keys: [("k", key)], at: nil))
    return [answer["results"]?.arrayValue?[1]["values"]?.arrayValue?.first?.intValue.map { .int($0) }]
  }

  @Test func getTakesWholeNumbersOnly() throws {
    let workshop = try workshop()
    for key in ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"] {
      #expect(try get(workshop, key) == [.int(93)], "\(key)")
    }
    for key in ["9007199254740992", "9007199254740992.0"] { #expect(try get(workshop, key) == [.int(92)], "\(key)") }
    for key in ["1", "1.0", "1e0", "0.1e1"] { #expect(try get(workshop, key) == [.int(1)], "\(key)") }
    for key in ["1.0000000000000001", "1.5", "9007199254740992.5", "", "one"] {
      let error = #expect(throws: AlmanacError.self) { try get(workshop, key) }
      #expect(error?.kind == .failed)
      #expect(error?.description == "entities.k[0]: expected a value of type int64, found \"\(key)\"")
    }
  }

  private func train(_ workshop: Workshop, _ labels: String, _ service: String = "s") throws -> [Scalar] {
    _ = try workshop.repository.train(
      TrainingRequest(service: service, labels: workshop.path(labels), output: workshop.path("out.parquet")))
    return try TableFile(path: workshop.path("out.parquet")).readAll().columns.last!.scalars
  }

  static let labels: [(name: String, rows: String, values: [Scalar])] = [
    ("l.csv", "k\n9007199254740993\n1\n", [.int(93), .int(1)]), ("l.csv", "k\n1.0\n1e0\n", [.int(1), .int(1)]),
    ("l.jsonl", "{\"k\":9007199254740993}\n{\"k\":1}\n", [.int(93), .int(1)]),
    ("l.jsonl", "{\"k\":1.0}\n{\"k\":null}\n", [.int(1), .null]), ("l.csv", "k\n1.0\n9007199254740993.0\n", [.int(1), .int(93)]),
    ("l.jsonl", "{\"k\":9007199254740993.0}\n", [.int(93)]),
  ]

  @Test(arguments: labels) func labelsAreKeysExactly(name: String, rows: String, values: [Scalar]) throws {
    let workshop = try workshop()
    try workshop.write(name, rows)
    #expect(try train(workshop, name) == values)
  }

  static let refused: [(name: String, rows: String, reason: String)] = [
    (
      "l.csv", "k\n1.0000000000000001\n", "line 2, column 1 (k): expected a number that float64 holds exactly, found \"1.0000000000000001\""
    ),
    (
      "l.jsonl", "{\"k\":1.0000000000000001}\n",
      "line 1, column 6 (k): expected a number that float64 holds exactly, found \"1.0000000000000001\""
    ),
  ]

  @Test(arguments: refused) func labelsThatAreRoundedAreRefused(name: String, rows: String, reason: String) throws {
    let workshop = try workshop()
    try workshop.write(name, rows)
    let error = #expect(throws: AlmanacError.self) { try train(workshop, name) }
    #expect(error?.kind == .failed)
    #expect(error?.description == "Cannot read \(workshop.path(name)): \(reason)")
  }

  /// As pandas writes a column of integers with a missing one.
  @Test(arguments: ["parquet", "arrow"]) func floatsThatMayHaveBeenAnotherIntegerAreRefused(format: String) throws {
    let workshop = try workshop()
    func labels(_ values: [Double]) throws {
      try workshop.write(
        "l.\(format)",
        Batch(schema: Schema([Field("k", .float64)]), columns: [Column(.float64, values.map { .double($0) })], rowCount: values.count))
    }
    try labels([1, .nan, Double(Self.low - 1)])
    #expect(try train(workshop, "l.\(format)") == [.int(1), .null, .null])
    try labels([1, Double(Self.low)])
    let error = #expect(throws: AlmanacError.self) { try train(workshop, "l.\(format)") }
    #expect(error?.kind == .failed)
    #expect(
      error?.description.hasSuffix(
        "Cannot use label column k as key k of entity e in feature view w: Cannot convert float64 to int64: row 2 holds "
          + "9007199254740992.0, to which float64 rounds several integers; give it as an integer") == true, "\(String(describing: error))")
  }

  @Test func committedKeysAreExactToo() throws {
    let workshop = try workshop()
    let floats = Batch(
      schema: Schema([Field("k", .float64), Field("v", .float64)]),
      columns: [Column(.float64, [.double(2), .double(Double(Self.low))]), Column(.float64, [.double(1), .double(1)])], rowCount: 2)
    let path = try workshop.write("floats.parquet", floats)
    let error = #expect(throws: AlmanacError.self) { try workshop.commit("x", path) }
    #expect(error?.kind == .failed)
    #expect(
      error?.description == "\(path): Cannot use these rows for x: column k is float64, int64 in the contract, and row 2 holds "
        + "9007199254740992.0, to which float64 rounds several integers; give it as an integer")
    // What is no key is a value like any other: the double says which.
    let values = Batch(
      schema: Schema([Field("k", .int64), Field("v", .float64)]),
      columns: [Column(.int64, [.int(5)]), Column(.float64, [.double(Double(Self.low))])], rowCount: 1)
    try workshop.commit("x", workshop.write("values.parquet", values))
    try workshop.commit("x", workshop.write("x.jsonl", "{\"k\":9007199254740995.0,\"v\":95.0}\n{\"k\":6e0,\"v\":6}\n"))
    #expect(
      try workshop.rows("x") == [
        [.int(1), .int(1)], [.int(5), .int(Self.low)], [.int(6), .int(6)], [.int(Self.low), .int(92)], [.int(Self.low + 1), .int(93)],
        [.int(Self.low + 3), .int(95)],
      ])
    for number in ["9007199254740995.5", "1.0000000000000001"] {
      let path = try workshop.write("bad.jsonl", "{\"k\":\(number),\"v\":1}\n")
      let error = #expect(throws: AlmanacError.self) { try workshop.commit("x", path) }
      #expect(error?.description == "Cannot read \(path): line 1, column 6 (k): expected int64, found \(number)")
    }
  }

  @Test func blameTakesNoRoundedKey() throws {
    let workshop = try workshop()
    #expect(try workshop.repository.blame("x", key: [("k", "9007199254740993")]).lines[1].value == .int(93))
    #expect(try workshop.repository.blame("x", key: [("k", "9007199254740993.0")]).lines[1].value == .int(93))
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.blame("x", key: [("k", "9007199254740992.5")]) }
    #expect(error?.kind == .usage)
    #expect(error?.description == "Cannot read 9007199254740992.5 as a value of k: expected int64")
  }

  /// Fields of floats are no names: they take the nearest value, online and offline alike.
  @Test func requestedFloatsAreTheNearest() throws {
    let workshop = try workshop()
    let service = try OnlineService(repository: workshop.repository)
    for (number, value) in [("0.1", Float(0.1)), ("16777217", 16_777_216), ("9007199254740993", 9_007_199_254_740_992), ("2.5", 2.5)] {
      for text in [number, "\"\(number)\""] {
        let body = Array("{\"feature_service\":\"t\",\"entities\":{\"k\":[1],\"r\":[\(text)],\"d\":[\(text)]}}".utf8)
        let answer = body.withUnsafeBytes { service.answer($0) }
        #expect(answer.status == 200)
        let results = try JSON(parsing: answer.body)["results"]?.arrayValue
        #expect(results?.last?["values"] == [.double(Double(value))], "\(text)")
      }
      try workshop.write("l.csv", "k,r,d\n1,\(number),\(number)\n")
      let offline = try train(workshop, "l.csv", "t")
      #expect(offline == [.double(Double(value))] || offline == [.float(value)], "\(number): \(offline)")
    }
    let body = Array("{\"feature_service\":\"t\",\"entities\":{\"k\":[1],\"r\":[1e300],\"d\":[1]}}".utf8)
    let refused = body.withUnsafeBytes { service.answer($0) }
    #expect(refused.status == 422)
    #expect(
      String(decoding: refused.body, as: UTF8.self)
        == "{\"detail\":\"entities.r[0]: expected a value of type float32, found 1e+300\"}")
  }
}
