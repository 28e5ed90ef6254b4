import Foundation
import Testing

@testable import Features

/// Whatever can be called is documented, and is held against DuckDB over columns: all of them have nulls and the edges of their type.
@Suite("Expressions: the catalog")
struct ExpressionsCatalogTests {
  /// Without a case: what DuckDB does not have.
  private let withoutCase: Set<String> = ["hash64"]
  private let withoutColumn: Set<String> = ["pi"]

  private func calls(_ name: String, in text: String) throws -> Bool {
    try text.lowercased().contains(Regex("(^|[^a-z_0-9])\(name)\\s*\\("))
  }

  /// Names outside strings.
  private func words(of text: String) -> Set<Substring> {
    let bare = text.split(separator: "'", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    return Set(bare.flatMap { $0.split { !($0.isLetter || $0.isNumber || $0 == "_") } })
  }

  @Test func everyFunctionHasACaseOverColumns() throws {
    let fixture = try ExpressionsPeerTests.Fixture()
    let columns = Set(fixture.batch.schema.fields.map { Substring($0.name) })
    #expect(Set(ExpressionChecker.functionNames).count > 140)
    for name in Set(ExpressionChecker.functionNames).subtracting(withoutCase).sorted() where name != "like" && name != "ilike" {
      let cases = try fixture.cases.map(\.expression).filter { try calls(name, in: $0) }
      #expect(!cases.isEmpty, "\(name) has no case in fixtures/expressions/cases.txt")
      let hasColumn = cases.contains { !words(of: $0).isDisjoint(with: columns) }
      #expect(hasColumn || withoutColumn.contains(name), "\(name) has no case over a column")
    }
  }

  @Test(arguments: [
    "=", "==", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "^", "**", "||", "&", "|", "<<", ">>", "~", "::", "and",
    "or",
    "not", "is null", "is not null", "is true", "is false", "is unknown", "is distinct from", "is not distinct from", "between", "in",
    "like",
    "ilike", "escape", "at time zone", "case", "interval",
  ]) func everyOperatorHasACase(name: String) throws {
    let cases = try ExpressionsPeerTests.Fixture().cases.map { " \($0.expression.lowercased()) " }
    let isWord = name.first?.isLetter == true
    let found = cases.contains { text in
      isWord || name == "~" || name == "::" ? text.contains(name) : text.contains(" \(name) ")
    }
    #expect(found, "\(name) has no case")
  }

  /// What edges a type has, every column of it has.
  @Test func columnsHoldTheEdgesOfTheirTypes() throws {
    let batch = try ExpressionsPeerTests.Fixture().batch
    func texts(_ name: String) throws -> Set<String> { Set(try #require(batch[name]).scalars.map { "\($0)" }) }
    for field in batch.schema.fields { #expect(try texts(field.name).contains("null"), "\(field.name)") }
    #expect(try texts("i").isSuperset(of: ["int(\(Int64.min))", "int(\(Int64.max))", "int(0)", "int(-1)"]))
    for name in ["x", "y"] { #expect(try texts(name).isSuperset(of: ["double(nan)", "double(inf)", "double(-inf)", "double(0.0)"])) }
    #expect(try texts("x").contains("double(-0.0)"))
    #expect(try texts("s").isSuperset(of: ["string(\"\")", "string(\"日本語\")", "string(\"naïve\")", "string(\"👍🏽x\")"]))
    // 2024-02-29, 2000-02-29, and the day before the leap day that 1900 does not have.
    #expect(try texts("d").isSuperset(of: ["date(19782)", "date(11016)", "date(-25509)"]))
    // Clocks in Berlin go forward between these two, and back after the next two.
    #expect(
      try texts("t").isSuperset(
        of: [1_711_846_799_999_999, 1_711_846_800_000_000, 1_729_989_000_000_000, 1_729_992_600_000_000].map {
          "timestamp(\($0), Columns.TimeUnit.microsecond)"
        }))
    #expect(try texts("m").isSuperset(of: ["decimal(9999999999, scale: 2)", "decimal(-9999999999, scale: 2)"]))
  }

  @Test func everyFunctionIsDocumented() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../docs/expressions.md")
      .standardized
    let words = Set(try String(contentsOf: url, encoding: .utf8).split { !($0.isLetter || $0.isNumber || $0 == "_") })
    for name in ExpressionChecker.functionNames { #expect(words.contains(Substring(name)), "\(name) is missing in docs/expressions.md") }
  }
}
