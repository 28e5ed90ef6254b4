import Columns
import Features
import JSON
import Testing

@testable import Online

@Suite struct OnlineAnswerTests {
  private let yaml = """
    entities: [{name: user, keys: [{name: user_id, type: int64}]}]
    feature_views:
    - name: spend
      entity: user
      source: payments
      ttl: 1h
      features:
      - {name: amount, expr: amount}
      - {name: total, agg: sum, of: amount, window: 1h}
      - {name: payments, agg: count, window: 1h}
      - {name: paid_at, expr: event_timestamp}
    feature_services:
    - name: fraud
      features: ["spend:amount", "spend:payments", {view: spend, as: sender, join_keys: {user_id: sender_id}, features: [total]}]
    """

  private func generation() throws -> Generation {
    let schema = Schema([Field("user_id", .int64), Field("event_timestamp", .timestampMicros), Field("amount", .float64)])
    let table = SourceTable(name: "payments", schema: schema, primaryKey: ["user_id", "event_timestamp"], eventTime: "event_timestamp")
    let hour: Int64 = 3_600_000_000
    let rows = Batch(
      schema: schema,
      columns: [
        Column(.int64, [.int(1), .int(1), .int(2), .int(9_007_199_254_740_993)]),
        Column(.timestampMicros, [0, hour / 2, 1, hour + 1].map { .timestamp($0, .microsecond) }),
        Column(.float64, [.double(1), .double(.nan), .double(7.25), .null]),
      ], rowCount: 4)
    let definitions = try DefinitionSet.parse(files: [("f.yaml", yaml)])
    let view = try definitions.compile(view: "spend", source: table)
    let bytes = try GenerationBuilder.encode(view: view, events: .build(view, rows: rows), buildTimeMicros: 0)
    return Generation(commit: "abc", definitions: definitions, images: ["spend": try ViewImage(bytes: BufferSlice(copying: bytes))])
  }

  private func answer(_ body: String, now: Int64 = 3_600_000_001) throws -> String {
    let bytes = try Array(body.utf8).withUnsafeBytes { try generation().answer(body: $0, now: now) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func refusal(_ body: String) throws -> String {
    do {
      return try answer(body)
    } catch let error as OnlineError {
      return "\(error.httpStatus) \(error.text)"
    }
  }

  @Test func answersFeatureByFeature() throws {
    let body = """
      {"entities": {"user_id": [1, "9007199254740993", 2, 3, null], "extra": 1}, "features": ["spend:amount", "spend:payments"], "x": 0}
      """
    #expect(
      try answer(body) == #"{"metadata":{"feature_names":["user_id","amount","payments"],"commit":"abc","overlay":0},"results":["#
        + #"{"values":[1,9007199254740993,2,3,null],"statuses":["PRESENT","PRESENT","PRESENT","PRESENT","PRESENT"],"#
        + #""event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z","#
        + #""1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},"#
        + #"{"values":["NaN",null,7.25,null,null],"statuses":["PRESENT","NULL_VALUE","PRESENT","NOT_FOUND","NOT_FOUND"],"#
        + #""event_timestamps":["1970-01-01T00:30:00Z","1970-01-01T01:00:00.000001Z","1970-01-01T00:00:00.000001Z","#
        + #""1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},"#
        + #"{"values":[1,1,0,0,0],"statuses":["PRESENT","PRESENT","PRESENT","PRESENT","PRESENT"],"#
        + #""event_timestamps":["1970-01-01T00:30:00Z","1970-01-01T01:00:00.000001Z","1970-01-01T00:00:00Z","#
        + #""1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]}]}"#
    )
  }

  @Test func askedForATimeItSeesNothingLater() throws {
    let body =
      #"{"entities": {"user_id": [1]}, "features": ["spend:amount", "spend:paid_at", "spend:total"], "at": "1970-01-01T00:30:00-00:00"}"#
    #expect(
      try answer(body).contains(#"{"values":["1970-01-01T00:30:00.000000Z"],"statuses":["PRESENT"]"#))
    let earlier = try answer(body.replacing("00:30:00-00:00", with: "00:29:59.999999Z"))
    #expect(earlier.contains(#"{"values":["1970-01-01T00:00:00.000000Z"],"statuses":["PRESENT"]"#))
    #expect(earlier.contains(#"{"values":[1.0],"statuses":["PRESENT"]"#))
  }

  @Test func olderThanTheTtlIsOutsideMaxAge() throws {
    let body = #"{"entities": {"user_id": [1]}, "features": ["spend:amount"], "at": "1970-01-01T01:30:00.000001Z"}"#
    #expect(
      try answer(body).hasSuffix(
        #"{"values":[null],"statuses":["OUTSIDE_MAX_AGE"],"event_timestamps":["1970-01-01T00:30:00Z"]}]}"#))
  }

  @Test func servicesJoinUnderTheirOwnKeys() throws {
    let body =
      #"{"entities": {"sender_id": [2], "user_id": [1]}, "feature_service": "fraud", "full_feature_names": true,"#
      + #" "at": "1970-01-01T00:30:00Z"}"#
    let found = try JSON(parsing: answer(body))
    #expect(
      found["metadata"]?["feature_names"] == ["user_id", "sender_id", "spend__amount", "spend__payments", "sender__total"])
    #expect(found["results"]?.arrayValue?.map { $0["values"] } == [[1], [2], ["NaN"], [2], [7.25]])
  }

  @Test func refusalsNameWhatIsWrong() throws {
    #expect(
      try refusal("{") == "400 The body: Cannot parse JSON at line 1, column 2: expected a string as key, found the end of the input"
        || refusal("{").hasPrefix("400 The body: Cannot parse JSON at line 1"))
    #expect(try refusal("[]") == "400 The body: expected a JSON object")
    #expect(try refusal(#"{"entities": {}}"#) == "400 The body has neither feature_service nor features")
    #expect(try refusal(#"{"features": ["spend:amount"]}"#) == "400 The body has no entities")
    #expect(try refusal(#"{"features": [1], "entities": {}}"#) == "400 features: expected an array of strings")
    #expect(try refusal(#"{"features": ["spend"], "entities": {}}"#) == "400 features: expected view:feature, found spend")
    #expect(
      try refusal(#"{"features": ["spend:amount"], "entities": {"id": [1]}}"#)
        == "400 entities: there is no user_id, which the features need")
    #expect(try refusal(#"{"features": ["spend:amount"], "entities": {"user_id": 1}}"#) == "400 entities.user_id: expected an array")
    #expect(
      try refusal(#"{"features": ["spend:amount"], "entities": {"user_id": [1.5]}}"#)
        == "422 entities.user_id[0]: expected a value of type int64, found 1.5")
    #expect(
      try refusal(#"{"features": ["spent:amount"], "entities": {}}"#)
        == "404 The request: there is no feature view spent (did you mean spend?)")
    #expect(
      try refusal(#"{"features": ["spend:amuont"], "entities": {}}"#)
        == "404 The request: feature view spend has no feature amuont (did you mean amount?)")
    #expect(try refusal(#"{"feature_service": "x", "entities": {}}"#) == "404 There is no feature service x")
    #expect(try refusal(#"{"feature_service": "fruad", "entities": {}}"#) == "404 There is no feature service fruad (did you mean fraud?)")
    #expect(
      try refusal(#"{"feature_service": "fraud", "entities": {"user_id": [1], "sender_id": []}}"#)
        == "400 entities.sender_id: expected 1 values as in user_id, found 0")
    #expect(
      try refusal(#"{"features": ["spend:amount", "spend:amount"], "entities": {}}"#)
        == "422 The request: two features would both be named amount; set full_feature_names")
    #expect(
      try refusal(#"{"features": ["spend:amount"], "entities": {"user_id": [1]}, "at": "1969-12-31T23:59:59Z"}"#)
        == "422 View spend was materialized as of 1970-01-01T00:00:00.000000Z; 1969-12-31T23:59:59.000000Z lies before")
    for time in ["1970-01-01T00:30:00", "1970-01-01", "1970-01-01T00:30:00+", ""] {
      #expect(
        try refusal(#"{"features": ["spend:amount"], "entities": {"user_id": [1]}, "at": "\#(time)"}"#).hasPrefix(
          "400 at: expected an RFC 3339 time such as 2026-02-01T00:00:00Z"), "\(time)")
    }
    for body in [
      #"{"features": ["spend:amount"], "entities": {"user_id": [1], "user_id": [2]}}"#,
      #"{"features": ["spend:amount"], "entities": {"user_id": [1]}, "features": []}"#,
    ] {
      #expect(try refusal(body).contains("two members have the name"))
    }
  }

  /// 9007199254740992 and its neighbour are one double, but two entities.
  @Test(arguments: [
    "9007199254740993", "9007199254740993.0", "9.007199254740993e15", "\"9007199254740993.0\"", "\"9007199254740993\"",
    "90071992547409930e-1",
  ])
  func wholeNumbersAreKeysExactly(number: String) throws {
    let found = try JSON(
      parsing: answer(#"{"entities": {"user_id": [\#(number), 1.0, 1e0, "2.0"]}, "features": ["spend:payments"]}"#))
    #expect(found["results"]?.arrayValue?.map { $0["values"] } == [[9_007_199_254_740_993, 1, 1, 2], [1, 1, 1, 0]])
  }

  @Test(arguments: [
    ("1.0000000000000001", "a number that no integer of 64 bits equals, about 1.0"),
    ("9007199254740993.5", "a number that no integer of 64 bits equals, about 9.007199254740994e+15"),
    ("1e300", "a number that no integer of 64 bits equals, about 1e+300"),
    ("9223372036854775808", "9223372036854775808"),
    ("18446744073709551616", "a number that no integer of 64 bits equals, about 1.8446744073709552e+19"),
    ("2.5", "2.5"), ("\"1.0000000000000001\"", "\"1.0000000000000001\""), ("\"1.5\"", "\"1.5\""), ("\"\"", "\"\""), ("\"0x1\"", "\"0x1\""),
    ("true", "true"),
  ])
  func otherNumbersAreNoKeys(number: String, found: String) throws {
    #expect(
      try refusal(#"{"entities": {"user_id": [1, \#(number)]}, "features": ["spend:payments"]}"#)
        == "422 entities.user_id[1]: expected a value of type int64, found \(found)")
  }

  @Test func base64RoundTrips() {
    #expect(Base64.text([]) == "")
    #expect(Base64.text([0xFF]) == "/w==")
    #expect(Base64.text([0xFF, 0]) == "/wA=")
    #expect(Base64.text(Array("any".utf8)) == "YW55")
    for count in 0..<20 {
      let bytes = (0..<count).map { UInt8($0 * 37 % 256) }
      #expect(Base64.bytes(Base64.text(bytes)) == bytes)
    }
    #expect(Base64.bytes("/w=") == nil)
    #expect(Base64.bytes("/x==") == nil)
    #expect(Base64.bytes("=w==") == nil)
  }
}
