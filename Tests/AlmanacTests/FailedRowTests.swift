import Almanac
import Columns
import Testing

/// An expression that fails names the row of the file or dataset, counted from 1, whatever batch it came in and what was left out before.
@Suite struct FailedRowTests {
  private let workshop: Workshop
  private static let rowCount = 400_000

  init() throws { workshop = try Workshop() }

  /// A text file whose readers give several batches: `n` counts from 1, `s` is `n` but in one row.
  private func file(badRow: Int) throws -> String {
    let lines = (1...Self.rowCount).map { "\($0),\($0 == badRow ? "x" : "7")" }
    return try workshop.write("rows.csv", "n,s\n" + lines.joined(separator: "\n") + "\n")
  }

  private func refusal(badRow: Int, filter: String? = nil, selection: String? = nil) throws -> String {
    var request = Conversion.Request(input: try file(badRow: badRow), output: workshop.path("out.csv"))
    request.types = Schema([Field("s", .string)])
    request.filter = filter
    request.selection = selection
    return #expect(throws: AlmanacError.self) { try Conversion.run(request) }?.description ?? ""
  }

  @Test(arguments: [1, 2, 390_000]) func ofAFilter(badRow: Int) throws {
    let found = try refusal(badRow: badRow, filter: "cast(s as int64) > 0")
    #expect(found.contains("'x' is no int64 in row \(badRow), at column 1 of"), "\(found)")
  }

  @Test(arguments: [2, 390_000]) func ofASelectionBehindAFilter(badRow: Int) throws {
    let found = try refusal(badRow: badRow, filter: "n % 2 = 0", selection: "cast(s as int64) as v")
    #expect(found.contains("'x' is no int64 in row \(badRow), at column 1 of"), "\(found)")
  }

  @Test func ofACheckout() throws {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("r.csv", (1...9).map { ($0, 0, "\($0)") }))
    let error = #expect(throws: AlmanacError.self) {
      try workshop.repository.checkout("main", "readings", to: workshop.path("o.csv"), filter: "cast(value * 20 as int8) > 0")
    }
    // 140 is the first that int8 does not hold.
    #expect(error?.description.contains("in row 7, at column 1 of") == true, "\(error?.description ?? "")")
  }
}
