import Columns
import Tables
import Testing

/// Ids of columns: the same everywhere for the same column, and never twice in one dataset.
@Suite struct FieldIDTests {
  private func ids(_ fields: [Field], kept: [String: Int32] = [:], dropped: Set<Int32> = []) -> [Int32?] {
    FieldIDs.assign(to: Schema(fields), keeping: kept, dropped: dropped).fields.map(\.id)
  }

  /// Vectors of docs/format/repository.md.
  @Test func idsAreThoseOfTheFormat() {
    #expect(ids([Field("a", .int32), LogKey.batch]) == [678417943, 410266729])
    #expect(ids([Field("a", .int32)], dropped: [678417943]) == [342290717])
    #expect(ids([Field("a", .string)]) == [150907606])
  }

  @Test func idsFollowNameAndTypeClassAlone() {
    #expect(ids([Field("a", .int8), Field("b", .string)]) == ids([Field("a", .int64), Field("b", .string)]))
    #expect(ids([Field("a", .int8)]) != ids([Field("a", .string)]))
    let other = ids([Field("b", .string), Field("a", .int8)])
    #expect(ids([Field("a", .int8), Field("b", .string)]) == [other[1], other[0]])
  }

  @Test func aDroppedIDIsNeverGivenAgain() throws {
    let first = try #require(ids([Field("a", .int8)])[0])
    let second = try #require(ids([Field("a", .int8)], dropped: [first])[0])
    let third = try #require(ids([Field("a", .int8)], dropped: [first, second])[0])
    #expect(Set([first, second, third]).count == 3)
    #expect(ids([Field("a", .int8)], dropped: [second]) == [first], "only what was dropped counts")
  }

  @Test func aTakenIDMovesToTheNext() throws {
    let id = try #require(ids([Field("a", .int8)])[0])
    #expect(ids([Field("old", .int8), Field("a", .int8)], kept: ["old": id]) == [id, id + 1])
    #expect(ids([Field("old", .int8), Field("a", .int8)], kept: ["old": id], dropped: [id + 1]) == [id, id + 2])
  }

  @Test func wideningKeepsEveryValue() {
    let types: [DataType] = [
      .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64, .string, .bool, .date, .timestampMicros,
    ]
    var pairs: [String] = []
    for from in types { for to in types where from.widens(to: to) { pairs.append("\(from) \(to)") } }
    #expect(
      pairs == [
        "int8 int16", "int8 int32", "int8 int64", "int16 int32", "int16 int64", "int32 int64", "uint8 int16", "uint8 int32",
        "uint8 int64", "uint8 uint16", "uint8 uint32", "uint8 uint64", "uint16 int32", "uint16 int64", "uint16 uint32",
        "uint16 uint64", "uint32 int64", "uint32 uint64", "float32 float64",
      ])
  }
}
