import Columns
import History
import Tables
import Testing

@Suite struct TailSequenceTests {
  /// A partition that was folded while older tails stay for another must read the tails that come after.
  @Test func tailsBehindAFoldAreRead() throws {
    let fixture = try TableFixture(leafRowCount: 64)
    let policy = TailPolicy(rewrittenRowCountMin: 1, rewrittenRowFactor: 1, mergeCount: 99, sizeClassFactor: 4, foldFactor: 2)
    let writer = TableWriter(archive: fixture.archive, layout: fixture.layout, policy: policy)
    func row(_ user: Int64, day: Int64, _ amount: Double) -> [Scalar] {
      [.int(user), .timestamp(day * 86_400_000_000, .microsecond), .string("k"), .double(amount), .null, .null]
    }
    func upsert(_ rows: [[Scalar]], onto base: TableVersion?) throws -> TableVersion {
      guard case .content(let content) = try writer.apply(.upsert, fixture.batch(rows), onto: base) else {
        throw TableError(.input, "The change conflicts")
      }
      return try fixture.publish(content)
    }
    // January and February 1970: partitions 0 and 1.
    var version = try upsert((0..<40).flatMap { [row($0, day: 3, 0), row($0, day: 40, 0)] }, onto: nil)
    version = try upsert([row(0, day: 3, 1), row(0, day: 40, 1)], onto: version)
    version = try upsert([row(1, day: 40, 2)], onto: version)
    #expect(version.tails.entries.map(\.sequence) == [1, 2])
    version = try upsert((2..<27).map { row($0, day: 40, 3) }, onto: version)
    #expect(version.tails.entries.map(\.sequence) == [1])
    #expect(version.tails.folded == [1: 2])
    version = try upsert([row(5, day: 40, 4), row(90, day: 40, 5)], onto: version)
    #expect(version.tails.entries.map(\.sequence) == [1, 3])
    #expect(version.rowCount == 81)
    let amounts = try version.read(columns: ["amount"]).columns[0].scalars
    #expect(
      amounts == [.double(1)] + [Scalar](repeating: .double(0), count: 39) + [.double(1), .double(2)]
        + [.double(3), .double(3), .double(3), .double(4)] + [Scalar](repeating: .double(3), count: 21)
        + [Scalar](repeating: .double(0), count: 13) + [.double(5)])
  }

  @Test func aDirectoryThatDiffersFromItsFileIsNoticed() throws {
    var history = try TailHistory(seed: 11)
    while history.version?.tails.entries.isEmpty ?? true { try history.step() }
    let version = try #require(history.version)
    let tail = try #require(version.tails.entries.last)
    #expect(try version.problems(of: tail) == [])
    let part = tail.parts[0]
    func changed(_ partition: Int64, _ rows: Int, _ inserts: Int, _ deletes: Int) throws -> [String] {
      let first = TailPart(partition: partition, rowCount: rows, insertCount: inserts, deleteCount: deletes)
      return try version.problems(of: TailEntry(id: tail.id, sequence: tail.sequence, parts: [first] + tail.parts.dropFirst()))
    }
    #expect(
      try changed(part.partition, part.rowCount + 1, part.insertCount, part.deleteCount)
        == ["expected \(tail.rowCount + 1) rows, found \(tail.rowCount)"])
    #expect(
      try changed(part.partition, part.rowCount, part.insertCount + 1, part.deleteCount) == [
        "expected \(part.insertCount + 1) inserts and \(part.deleteCount) deletes in partition \(part.partition), "
          + "found \(part.insertCount) and \(part.deleteCount)"
      ])
    #expect(
      try changed(part.partition - 1, part.rowCount, part.insertCount, part.deleteCount)
        == ["expected rows of partition \(part.partition - 1), found one of \(part.partition)"])
  }
}
