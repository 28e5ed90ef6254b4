import Columns
import JSON
import Testing

@testable import Checks

@Suite struct ContractParsingTests {
  @Test func exampleOfTransactionsIsReadWhole() throws {
    let contracts = try Contract.parse(yaml: Examples.text("schemas/examples/transactions.yaml"), file: "transactions.yaml")
    let contract = try #require(contracts.first)
    #expect(contracts.count == 1)
    #expect(contract.name == "transactions")
    #expect(contract.version == "1.0.0")
    #expect(contract.primaryKey == ["user_id", "event_timestamp", "txn_id"])
    #expect(contract.eventTime == "event_timestamp")
    #expect(contract.createdTime == "created_timestamp")
    #expect(contract.partition == .month)
    #expect(contract.kind == .table)
    #expect(contract.evolution == .backward)
    #expect(
      contract.columns.map(\.type) == [
        .int64, .timestampMicros, .string, .timestampMicros, .float64, .float64, .float64, .int64, .int32, .string, .bool,
      ])
    #expect(
      contract.columns.filter(\.isRequired).map(\.name) == [
        "user_id", "event_timestamp", "txn_id", "created_timestamp", "amount", "merchant_id",
      ])
    #expect(
      contract.rules.map(\.text) == [
        "transactions.txn_id pattern ^T[0-9]{10}$", "transactions.amount minimum 0.0", "transactions.fx_rate exclusiveMinimum 0.0",
        "transactions.items minimum 1", "transactions.items maximum 1000", "transactions.category maxLength 40",
      ])
  }

  @Test(arguments: ["transactions", "user_profile", "merchant_stats"])
  func examplesSurviveCanonicalJSON(name: String) throws {
    let contract = try Contract.parse(yaml: Examples.text("schemas/examples/\(name).yaml"), file: name)[0]
    let bytes = contract.canonicalJSON.canonicalBytes
    #expect(try Contract(canonicalJSON: JSON(parsing: bytes)) == contract)
  }

  @Test func everyRuleSurvivesCanonicalJSON() throws {
    let contract = try Examples.contract(
      [
        "{name: f, physicalType: float64, logicalTypeOptions: {minimum: -1.0e+300, maximum: 1.0e+19, exclusiveMinimum: 0.1}}",
        "{name: g, physicalType: float32, logicalTypeOptions: {maximum: 0.1}}",
        "{name: i, physicalType: int64, logicalTypeOptions: {minimum: -9223372036854775808, maximum: 9223372036854775807}}",
        "{name: m, physicalType: 'decimal(12,2)', logicalTypeOptions: {minimum: '-12.30', exclusiveMaximum: 1000}}",
        "{name: d, logicalType: date, logicalTypeOptions: {minimum: 1969-12-31}}",
        "{name: t, logicalType: timestamp, logicalTypeOptions: {exclusiveMaximum: '2026-02-01T00:00:00.000001Z'}}",
        "{name: s, logicalType: string, logicalTypeOptions: {minLength: 1, maxLength: 9, pattern: 'é\\d'}}",
        "{name: v, logicalType: string, quality: [{metric: invalidValues, arguments: {validValues: [web, yes, 1]}, mustBe: 0, severity: warning}]}",
        "{name: b, logicalType: boolean, quality: [{metric: invalidValues, arguments: {validValues: [true]}, mustBe: 0}]}",
        "{name: n, logicalType: integer, quality: [{metric: nullValues, mustBe: 0, severity: warning}]}",
      ],
      dataset: "  quality: [{metric: rowCount, mustBeBetween: [10, 20]}]")
    #expect(
      contract.rules.map(\.text) == [
        "t.f minimum -1e+300", "t.f maximum 1e+19", "t.f exclusiveMinimum 0.1", "t.g maximum 0.1",
        "t.i minimum -9223372036854775808", "t.i maximum 9223372036854775807", "t.m minimum -12.30", "t.m exclusiveMaximum 1000.00",
        "t.d minimum 1969-12-31", "t.t exclusiveMaximum 2026-02-01T00:00:00.000001Z", "t.s minLength 1", "t.s maxLength 9",
        "t.s pattern é\\d", "t.v validValues [\"web\", \"yes\", \"1\"]", "t.b validValues [true]", "t.n required",
        "t rowCount between 11 and 19",
      ])
    let bytes = contract.canonicalJSON.canonicalBytes
    let again = try Contract(canonicalJSON: JSON(parsing: bytes))
    #expect(again == contract)
    #expect(again.canonicalJSON.canonicalBytes == bytes)
  }

  @Test func damagedJSONIsRefused() throws {
    #expect(throws: CheckError("The stored contract has no name")) { try Contract(canonicalJSON: [:]) }
    let contract = try Examples.contract(["{name: x, logicalType: integer, logicalTypeOptions: {minimum: 1}}"])
    guard case .object(var members) = contract.canonicalJSON else { return }
    members["rules"] = [["columns": ["y"], "severity": "error", "type": "minimum", "value": 1]]
    let error = #expect(throws: CheckError.self) { try Contract(canonicalJSON: .object(members)) }
    #expect(error?.description.hasPrefix("The stored contract of t cannot be read: rule {") == true)
  }

  @Test func fileOfCommentsHasNoContract() throws {
    #expect(try Contract.parse(yaml: "# nothing\n# - yet\n", file: "a.yaml").isEmpty)
    #expect(try Contract.parse(yaml: "", file: "a.yaml").isEmpty)
  }

  @Test func oneFileMayHoldSeveralDatasets() throws {
    let yaml = """
      apiVersion: v3.1.0
      kind: DataContract
      version: 2.1.0
      schema:
      - name: a
        properties: [{name: k, physicalType: utf8, primaryKey: true}]
      - name: b
        properties: [{name: k, physicalType: int64, primaryKey: true}, {name: at, physicalType: timestamp, primaryKey: true}]
        customProperties: [{property: almanac, value: {eventTime: at, leafRows: 4096}}]
      """
    let contracts = try Contract.parse(yaml: yaml, file: "ab.yaml")
    #expect(contracts.map(\.name) == ["a", "b"])
    #expect(contracts.map(\.version) == ["2.1.0", "2.1.0"])
    #expect(contracts.map(\.partition) == [.none, .month])
    #expect(contracts[1].primaryKey == ["k", "at"])
    #expect(contracts[1].leafRows == 4096)
  }

  @Test func keyFollowsPositionsNotDeclaration() throws {
    let contract = try Contract.parse(
      yaml: Examples.yaml(columns: [
        "{name: b, physicalType: utf8, primaryKey: true, primaryKeyPosition: 2}",
        "{name: a, physicalType: int64, primaryKey: true, primaryKeyPosition: 1}",
      ]), file: "t.yaml")[0]
    #expect(contract.primaryKey == ["a", "b"])
    #expect(contract.columns.map(\.primaryKeyPosition) == [2, 1])
    #expect(contract.columns.map(\.isRequired) == [true, true])
  }

  static let almanac = "customProperties: [{property: almanac, value: {"

  /// Column or dataset lines of a contract whose line 6 is the key column, and the exact text of the refusal.
  @Test(arguments: [
    ("{name: x, logicaltype: integer}", "t.yaml:7:15: unknown key logicaltype in column x; did you mean logicalType?"),
    (
      "{name: x, logicalType: intger}",
      "t.yaml:7:28: logicalType of column x must be string, date, timestamp, time, number, integer, object, array, boolean, found intger; did you mean integer?"
    ),
    ("{name: x, physicalType: flaot64}", "t.yaml:7:29: unknown physicalType flaot64 of column x; did you mean float64?"),
    ("{name: x}", "t.yaml:7:5: column x has neither logicalType nor physicalType"),
    ("{name: x, logicalType: array}", "t.yaml:7:28: logicalType array of column x is not supported yet"),
    (
      "{name: x, logicalType: integer, physicalType: utf8}",
      "t.yaml:7:51: column x is utf8, which does not fit its logicalType integer"
    ),
    (
      "{name: x, physicalType: 'timestamp[ns,UTC]'}",
      "t.yaml:7:29: column x is timestamp[ns,UTC]; datasets keep times as timestamp[us,UTC], to which inputs are converted"
    ),
    (
      "{name: x, physicalType: uint32}",
      "t.yaml:7:29: column x is uint32; datasets keep signed integers, to which inputs are converted (int64)"
    ),
    ("{name: id, logicalType: integer}", "t.yaml:7:5: column id is declared twice in dataset t"),
    (
      "{name: x, physicalType: float64, primaryKey: true}",
      "t.yaml:7:5: column x is float64, which cannot be part of a primary key"
    ),
    (
      "{name: x, physicalType: int64, primaryKey: true, primaryKeyPosition: 2}",
      "t.yaml:6:5: primaryKeyPosition of column id must be such that the 2 key columns have 1 to 2, found none"
    ),
    ("{name: x, physicalType: int64, primaryKeyPosition: 2}", "t.yaml:7:56: column x has a primaryKeyPosition but not primaryKey: true"),
    (
      "{name: x, physicalType: int64, primaryKey: true, required: false}",
      "t.yaml:7:64: column x is part of the primary key and cannot be required: false"
    ),
    ("{name: x, physicalType: int64, required: maybe}", "t.yaml:7:46: required of column x must be true or false, found maybe"),
    ("{name: x, physicalType: int64, unique: true}", "t.yaml:7:36: unique in column x is not supported yet"),
    (
      "{name: x, physicalType: int64, logicalTypeOptions: {minimun: 0}}",
      "t.yaml:7:57: unknown key minimun in logicalTypeOptions of column x; did you mean minimum?"
    ),
    (
      "{name: x, physicalType: int64, logicalTypeOptions: {minimum: 0.5}}",
      "t.yaml:7:66: minimum of column x must be a value of int64, found 0.5"
    ),
    (
      "{name: x, physicalType: int8, logicalTypeOptions: {maximum: 128}}",
      "t.yaml:7:65: maximum of column x must be a value of int8, found 128"
    ),
    (
      "{name: x, physicalType: float64, logicalTypeOptions: {exclusiveMinimum: true}}",
      "t.yaml:7:77: exclusiveMinimum of column x must be a value of float64, found true; since ODCS 3.1 it is a bound of its own"
    ),
    (
      "{name: x, physicalType: utf8, logicalTypeOptions: {minimum: 0}}",
      "t.yaml:7:65: minimum does not apply to column x, which is utf8"
    ),
    (
      "{name: x, physicalType: int64, logicalTypeOptions: {maxLength: 3}}",
      "t.yaml:7:68: maxLength does not apply to column x, which is int64"
    ),
    (
      "{name: x, physicalType: utf8, logicalTypeOptions: {maxLength: -1}}",
      "t.yaml:7:67: maxLength of column x must not be negative, found -1"
    ),
    (
      "{name: x, physicalType: utf8, logicalTypeOptions: {pattern: 'a(b'}}",
      "t.yaml:7:65: pattern of column x is not a regular expression: missing closing parenthesis at character 4"
    ),
    (
      "{name: x, physicalType: utf8, logicalTypeOptions: {format: email}}",
      "t.yaml:7:56: format in logicalTypeOptions of column x is not supported yet"
    ),
    (
      "{name: x, physicalType: utf8, quality: [{type: custom, engine: greatExpectations, implementation: {}}]}",
      "t.yaml:7:52: a quality check of type custom is not supported yet"
    ),
    (
      "{name: x, physicalType: utf8, quality: [{metric: invalidValues, arguments: {validValues: [a]}, mustBe: 0, severity: quarantine}]}",
      "t.yaml:7:121: severity quarantine is not supported yet; use error or warning"
    ),
    (
      "{name: x, physicalType: utf8, quality: [{metric: nullValues, unit: percent, mustBeLessThan: 1}]}",
      "t.yaml:7:97: nullValues with mustBeLessThan 1 is not supported yet; expected mustBe: 0"
    ),
    (
      "{name: x, physicalType: utf8, quality: [{metric: nullValues}]}",
      "t.yaml:7:45: quality of column x must have one operator such as mustBe, found none"
    ),
    (
      "{name: x, physicalType: utf8, quality: [{metric: nulValues, mustBe: 0}]}",
      "t.yaml:7:54: unknown metric nulValues; did you mean nullValues?"
    ),
    (
      "{name: x, physicalType: utf8, quality: [{metric: rowCount, mustBe: 0}]}",
      "t.yaml:7:54: rowCount belongs to the quality of a dataset, found at column x"
    ),
    (
      "{name: _almanac_op, physicalType: utf8}",
      "t.yaml:7:5: \"_almanac_op\" cannot be a column's name; names are not empty and do not begin with _almanac"
    ),
    (
      "{name: x, physicalType: int64, logicalTypeOptions: {minimum: 0}, quality: [{metric: nullValues, mustBe: 0}, {metric: nullValues, mustBe: 0}]}",
      "t.yaml:4:3: the rule t.x required is declared twice"
    ),
    ("[a]", "t.yaml:7:5: column of dataset t must be a mapping, found a list"),
  ])
  func wrongColumnIsRefused(column: String, expected: String) {
    let error = #expect(throws: CheckError.self) { try Examples.contract([column]) }
    #expect(error?.description == expected)
  }

  @Test(arguments: [
    ("\(almanac)eventTime: att}}]", "t.yaml:9:59: eventTime att is not a column of dataset t; did you mean at?"),
    ("\(almanac)eventTime: id}}]", "t.yaml:9:59: eventTime id must be timestamp[us,UTC], found int64"),
    ("\(almanac)eventTime: at}}]", "t.yaml:9:59: eventTime at must be required: true; a row without event time has no place"),
    ("\(almanac)partition: month}}]", "t.yaml:9:59: partition month needs an eventTime that is part of the primary key of dataset t"),
    ("\(almanac)partition: year}}]", "t.yaml:9:59: partition must be none, day, month, found year"),
    ("\(almanac)leafRows: 1000}}]", "t.yaml:9:58: leafRows must be a power of two from 16 to 1048576, found 1000"),
    ("\(almanac)kind: log}}]", "t.yaml:6:5: a dataset of kind log has no primary key, found column id"),
    ("\(almanac)evenTime: at}}]", "t.yaml:9:48: unknown key evenTime in almanac; did you mean eventTime?"),
    ("slaProperties: []", "t.yaml:9:1: slaProperties in the contract is not supported yet"),
    ("owner: me", "t.yaml:9:1: unknown key owner in the contract"),
    ("kind: DataContract", "t.yaml:2:1: the key kind stands more than once in one mapping"),
    ("name: [", "t.yaml:10:1: cannot read YAML: while parsing a flow node, did not find expected node content"),
  ])
  func wrongSettingIsRefused(tail: String, expected: String) {
    let error = #expect(throws: CheckError.self) { try Examples.contract(["{name: at, logicalType: timestamp}"], tail: tail) }
    #expect(error?.description == expected)
  }

  @Test(arguments: [
    ("kind: DataContract\nschema: []", "a.yaml:1:1: the contract has no apiVersion"),
    ("apiVersion: v2.2.2\nkind: DataContract\nschema: []", "a.yaml:1:13: apiVersion v2.2.2 is not supported; expected v3.1.0"),
    ("apiVersion: v3.1.0\nkind: DataContract\nschema: []", "a.yaml:3:9: schema must name at least one dataset"),
    ("apiVersion: v3.1.0\nkind: Contract\nschema: []", "a.yaml:2:7: kind must be DataContract, found Contract"),
    (
      "apiVersion: v3.1.0\nkind: DataContract\nschema:\n- name: a b\n  properties: []",
      "a.yaml:4:9: \"a b\" cannot be the name of a dataset; expected letters, digits, _ and -, beginning with a letter"
    ),
    (
      "apiVersion: v3.1.0\nkind: DataContract\nschema:\n- name: a\n  properties: [{name: x, physicalType: int64}]",
      "a.yaml:4:3: dataset a has no primary key; mark its columns with primaryKey: true, or declare kind: log"
    ),
    (
      "a: &a [x]\n? [\(Array(repeating: "*a", count: 17).joined(separator: ","))]\n: 1",
      "a.yaml: cannot read YAML: more than 16 aliases (*name)"
    ),
    (
      String(repeating: "[", count: 100_000),
      "a.yaml:1:1: cannot read YAML: while parsing, Maximum nesting level reached, set with yaml_set_max_nest_level())"
    ),
    ("- 1", "a.yaml:1:1: the contract must be a mapping, found a list"),
  ])
  func wrongFileIsRefused(yaml: String, expected: String) {
    let error = #expect(throws: CheckError.self) { try Contract.parse(yaml: yaml, file: "a.yaml") }
    #expect(error?.description == expected)
  }
}
