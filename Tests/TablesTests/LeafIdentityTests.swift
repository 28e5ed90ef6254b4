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

  /// One column of field id 1, as the table of vectors in docs/format/leaf.md.
  private func id(_ type: DataType, _ values: [Scalar]) -> String {
    let column = Column(type, values).canonicalized()
    return "\(LeafIdentity(Batch(schema: Schema([Field("v", type, id: 1)]), columns: [column], rowCount: values.count)).id)"
  }

  @Test func everyTypeClassHasItsVector() {
    #expect(id(.int64, []) == "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc")
    #expect(
      id(.int64, [.int(-1), .null, .int(.max)]) == "b1e8df0608687b195d464c68673b86f38a5f66589cdac110cab0ba855c33ae48")
    #expect(id(.uint64, [.uint(0), .uint(.max)]) == "141f6b1da6b139887b12b2b1bc77f8b03eb25fa478787e2fd9dfacf4dcba6090")
    #expect(
      id(.float64, [.double(-0.0), .double(-.nan), .double(-1.5), .null])
        == "8c672253db3e243bfc4f126252d98dc399ab4995f66390ada98fabbad419af67")
    #expect(
      id(.bool, [.bool(true), .null, .bool(false)] + Array(repeating: .bool(true), count: 7))
        == "289614e697bdd8749c0cb2e77425deb293ad489874798bfd9c843d0a0fb3ab75")
    #expect(
      id(.string, [.string(""), .null, .string("na\u{EF}ve"), .string("\0")])
        == "db76595bf1461878af9ccd73bcf521e54575e67aad6d571530d351cabd6134a7")
    #expect(id(.binary, [.binary([0xFF, 0]), .binary([])]) == "5f44fd01041b4cfb136762bc1be815f027981ae26453cdf1d204024be5ddd5dd")
    #expect(
      id(.date, [.date(-1), .date(0), .date(19_000)]) == "aef6e8712e3d0be57619850420fa3e2ca5d1961faf2b548febc56df05e81f734")
    #expect(
      id(.timestampMicros, [.timestamp(-1, .microsecond), .timestamp(0, .microsecond), .timestamp(1_767_225_600_000_000, .microsecond)])
        == "c724f0856862ce9890e6e86e758001d6d6408f9a0fc65f011a0d4cda933f5f08")
    let great = Int128(1_000_000_000_000_000) * 1_000_000_000_000_000
    #expect(
      id(.decimal(precision: 38, scale: 2), [.decimal(-12_345, scale: 2), .null, .decimal(great, scale: 2)])
        == "cd9475f4af56c5cc58e83a12f7c3e4eedf10c997f98d249470446ec137727c27")
  }

  @Test func narrowerTypesOfAClassHaveTheIDOfTheWidest() {
    #expect(id(.int8, [.int(-1), .null]) == id(.int64, [.int(-1), .null]))
    #expect(id(.uint16, [.uint(9)]) == id(.int64, [.int(9)]))
    #expect(id(.float32, [.float(0.5), .float(.nan)]) == id(.float64, [.double(0.5), .double(.nan)]))
  }
}
