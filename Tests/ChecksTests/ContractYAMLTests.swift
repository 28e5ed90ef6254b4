import Testing

@testable import Checks

@Suite struct ContractYAMLTests {
  @Test func aContractWithEveryRuleComesBackFromItsFile() throws {
    let yaml = """
      apiVersion: v3.1.0
      kind: DataContract
      id: everything
      version: 2.3.4
      status: active
      schema:
      - name: everything
        description: "All: of \\"it\\""
        properties:
        - {name: id, physicalType: int64, required: true, primaryKey: true, primaryKeyPosition: 2}
        - {name: at, physicalType: 'timestamp[us,UTC]', required: true, primaryKey: true, primaryKeyPosition: 1}
        - {name: price, physicalType: 'decimal(10,2)', logicalTypeOptions: {minimum: 0.5, exclusiveMaximum: 1000}}
        - {name: share, physicalType: float64, logicalTypeOptions: {exclusiveMinimum: 0, maximum: 1}, quality: [{metric: nullValues, mustBe: 0, severity: warning}]}
        - {name: day, physicalType: date, logicalTypeOptions: {minimum: '2026-01-01'}}
        - name: code
          physicalType: utf8
          description: "#1"
          logicalTypeOptions: {minLength: 1, maxLength: 5, pattern: '^[A-Z\\\\"]+$'}
          quality:
          - {metric: invalidValues, mustBe: 0, arguments: {validValues: [A, 'yes', '1']}}
          - {metric: invalidValues, mustBe: 0, severity: warning, arguments: {pattern: 'A|B'}}
        quality:
        - {metric: rowCount, mustBeGreaterThan: 0}
        - {metric: rowCount, mustBeBetween: [1, 100], severity: warning}
        customProperties:
        - {property: almanac, value: {eventTime: at, partition: day, evolution: none, leafRows: 64}}
      """
    let contract = try #require(try Contract.parse(yaml: yaml, file: "a.yaml").first)
    #expect(contract.rules.count == 13)
    let text = try #require(contract.yaml)
    #expect(try Contract.parse(yaml: text, file: "b.yaml") == [contract])
    #expect(try Contract.parse(yaml: text, file: "b.yaml").first?.yaml == text)
  }

  @Test(arguments: ["", ", sort: [k, at]", ", sort: [at, k], partition: day", ", sort: []", ", sort: [at]", ", leafRows: 16, sort: [k]"])
  func aLogComesBackFromItsFile(settings: String) throws {
    let yaml = """
      apiVersion: v3.1.0
      kind: DataContract
      schema:
      - name: l
        properties:
        - {name: at, physicalType: 'timestamp[us,UTC]', required: true}
        - {name: k, physicalType: int64, required: true}
      customProperties: [{property: almanac, value: {kind: log, eventTime: at\(settings)}}]
      """
    let contract = try #require(try Contract.parse(yaml: yaml, file: "l.yaml").first)
    let text = try #require(contract.yaml)
    #expect(try Contract.parse(yaml: text, file: "b.yaml") == [contract])
  }

  @Test func whatNoFileCanSayHasNoFile() {
    let column = ContractColumn(name: "_almanac_row", type: .int64, isRequired: true, primaryKeyPosition: 1)
    #expect(Contract(name: "saved", columns: [column], primaryKey: ["_almanac_row"]).yaml == nil)
  }
}
