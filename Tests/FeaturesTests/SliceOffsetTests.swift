import Columns
import Testing

@testable import Features

/// Expressions and digests of slices at every offset, against columns of their own with the same values.
@Suite struct SliceOffsetTests {
  private static let types: [DataType] = [.bool, .int8, .int64, .uint32, .float64, .date, .timestampMicros, .string]
  private static let rowCount = 19

  private static func values(_ type: DataType, _ random: inout SplitMix) -> [Scalar] {
    (0..<70 + rowCount).map { _ in
      let number = Int.random(in: 0..<6, using: &random)
      if number == 5 { return .null }
      switch type {
      case .bool: return .bool(number % 2 == 0)
      case .uint32: return .uint(UInt64(number))
      case .float64: return .double(Double(number))
      case .date: return .date(Int32(number))
      case .timestampMicros: return .timestamp(Int64(number), .microsecond)
      case .string: return .string("t\(number)")
      default: return .int(Int64(number))
      }
    }
  }

  private static func batches() -> [(slice: Batch, plain: Batch)] {
    var random = SplitMix(61)
    let fields = types.indices.map { Field("c\($0)", types[$0]) } + [Field("d", .bool)]
    let all = fields.map { values($0.type, &random) }
    func batch(_ rows: Range<Int>) -> Batch {
      Batch(schema: Schema(fields), columns: zip(fields, all).map { Column($0.type, Array($1[rows])) }, rowCount: rows.count)
    }
    let whole = batch(0..<70 + rowCount)
    return (0...70).map { (whole.slice(from: $0, count: rowCount), batch($0..<$0 + rowCount)) }
  }

  @Test(arguments: [
    "c0", "not c0", "c0 and d", "c0 or d", "c0 = d", "c0 is null", "coalesce(c0, d)", "case when d then c1 else c3 end",
    "c0 and c4 > 1", "c7 || cast(c0 as string)", "c2 + c1", "c5", "c6",
  ]) func expressionsSeeTheRowsOfTheSlice(text: String) throws {
    for (start, (slice, plain)) in Self.batches().enumerated() {
      let expression = try compileExpression(text, schema: slice.schema, context: "test")
      let (found, wanted) = (try expression.evaluate(slice).scalars, try expression.evaluate(plain).scalars)
      #expect(found == wanted, "from \(start)")
      // Its bits are those of the values themselves.
      if text == "c0" { #expect(found == plain.columns[0].scalars, "from \(start)") }
    }
  }

  @Test func digestsAreThoseOfTheRows() {
    for (start, (slice, plain)) in Self.batches().enumerated() {
      #expect(BatchDigest.sha256(of: slice) == BatchDigest.sha256(of: plain), "from \(start)")
    }
  }

  @Test func entitiesAreThoseOfTheRows() {
    for (start, (slice, plain)) in Self.batches().enumerated() {
      func entities(_ batch: Batch) -> [[Scalar]] {
        var collector = EntityCollector(keys: [batch.schema.fields[0], batch.schema.fields[1], batch.schema.fields[8]])
        for part in [batch, batch.slice(from: 9, count: 5)] { collector.add([0, 1, 8].map { part.columns[$0] }) }
        return collector.finish().columns.map(\.scalars)
      }
      #expect(entities(slice) == entities(plain), "from \(start)")
    }
  }

  @Test func changesOfKeysAreMarked() {
    for (start, (slice, plain)) in Self.batches().enumerated() {
      for index in [0, 1, 2, 7] {
        let values = plain.columns[index].withoutValidity().scalars
        var flags = [Bool](repeating: false, count: Self.rowCount)
        flags.withUnsafeMutableBufferPointer { slice.columns[index].withoutValidity().markChanges(in: $0) }
        #expect(flags == values.indices.map { $0 > 0 && values[$0] != values[$0 - 1] }, "\(Self.types[index]) from \(start)")
      }
    }
  }
}
