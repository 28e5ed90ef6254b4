import Columns
import Tables
import Testing

/// The vectors of docs/format/leaf.md.
@Suite struct LeafIdentityTests {
  private func batch(_ a: DataType, _ rows: [(Int64, Scalar)]) -> Batch {
    Batch(
      schema: Schema([Field("a", a, id: 7), Field("b", .string, id: 3)]),
      columns: [Column(a, rows.map { .int($0.0) }), Column(.string, rows.map(\.1))], rowCount: rows.count)
  }

  @Test func idIsThatOfTheFormat() {
    #expect(
      "\(LeafIdentity(batch(.int64, [(1, .string("x")), (2, .null)])).id)"
        == "c0aa468ea1293c14c5db46d307614047242e2f601488b3a780076457dabc0597")
  }

  @Test func widthDoesNotChangeTheID() {
    #expect(
      LeafIdentity(batch(.int32, [(1, .string("x")), (2, .null)])).id == LeafIdentity(batch(.int64, [(1, .string("x")), (2, .null)])).id)
  }

  @Test func aColumnOfNullsAloneIsNotThere() {
    let withNulls = LeafIdentity(batch(.int64, [(1, .null), (2, .null)]))
    let without = Batch(schema: Schema([Field("a", .int64, id: 7)]), columns: [Column(.int64, [.int(1), .int(2)])], rowCount: 2)
    #expect("\(withNulls.id)" == "033f3eb2b33b1b851d7eaf13d7581014bb365bd5ecda2de543ace5793bd62b29")
    #expect(withNulls.id == LeafIdentity(without).id)
    #expect(withNulls.digests.count == 37)
  }
}
