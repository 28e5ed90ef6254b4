import Columns
import Testing

@Suite struct SelectionTests {
  @Test(arguments: everyType, [false, true]) func takeMatchesRowByRow(type: DataType, nulls: Bool) {
    var random = SeededRandom(seed: 11)
    let column = random.column(type, count: 300, nulls: nulls).slice(from: 13, count: 250)
    for withNullIndex in [false, true] {
      let indices = (0..<517).map { _ in Int32.random(in: (withNullIndex ? -1 : 0)..<250, using: &random) }
      let taken = column.take(indices)
      let expected = indices.map { $0 < 0 ? Scalar.null : column.scalar(at: Int($0)) }
      #expect(taken.scalars.map(canonical) == expected.map(canonical))
      #expect(taken.type == type)
    }
    #expect(column.take([]).count == 0)
    #expect(column.slice(from: 0, count: 0).take([-1, -1]).scalars == [.null, .null])
  }

  @Test(arguments: everyType, [false, true]) func filterKeepsMaskedRows(type: DataType, nulls: Bool) {
    var random = SeededRandom(seed: 12)
    let column = random.column(type, count: 400, nulls: nulls).slice(from: 5, count: 333)
    let flags = (0..<340).map { _ in random.next() % 3 == 0 }
    let mask = Bitmap(flags).slice(from: 7, count: 333)
    let expected = (0..<333).filter { flags[$0 + 7] }.map { column.scalar(at: $0) }
    #expect(column.filter(mask).scalars.map(canonical) == expected.map(canonical))
    #expect(column.filter(Bitmap(repeating: true, count: 333)).equalsExactly(column))
    #expect(column.filter(Bitmap(repeating: false, count: 333)).count == 0)
  }

  @Test(arguments: everyType) func concatenateKeepsOrder(type: DataType) {
    var random = SeededRandom(seed: 13)
    for nulls in [false, true] {
      let parts = [
        random.column(type, count: 131, nulls: false), random.column(type, count: 90, nulls: nulls).slice(from: 3, count: 77),
        random.column(type, count: 0, nulls: false), random.column(type, count: 64, nulls: nulls).slice(from: 63, count: 1),
        random.column(type, count: 200, nulls: false).slice(from: 9, count: 180),
      ]
      let whole = Column.concatenate(parts)
      #expect(whole.scalars.map(canonical) == parts.flatMap(\.scalars).map(canonical))
      #expect(whole.nullCount == parts.reduce(0) { $0 + $1.nullCount })
    }
  }

  @Test func wordsReadAcrossAnyOffset() {
    var random = SeededRandom(seed: 14)
    let flags = (0..<211).map { _ in random.next() & 1 == 1 }
    let bitmap = Bitmap(flags)
    for start in 0..<20 {
      let part = bitmap.slice(from: start, count: 211 - start - 3)
      for index in [0, 1, 63, 64, 100, part.count - 1] {
        let expected = (0..<64).reduce(UInt64(0)) { word, bit in
          index + bit < part.count && flags[start + index + bit] ? word | 1 << UInt64(bit) : word
        }
        #expect(part.word(at: index) == expected)
      }
      #expect(part.setIndices == (0..<Int32(part.count)).filter { flags[start + Int($0)] })
    }
  }

  @Test func batchesTakeFilterAndConcatenate() {
    let schema = Schema([Field("id", .int64), Field("name", .string)])
    let batch = Batch(
      schema: schema, columns: [Column(.int64, [.int(1), .int(2), .null]), Column(.string, [.string("a"), .null, .string("c")])],
      rowCount: 3)
    let taken = batch.take([2, -1, 0])
    #expect(taken["id"]?.scalars == [.null, .null, .int(1)])
    #expect(taken["name"]?.scalars == [.string("c"), .null, .string("a")])
    #expect(batch.filter(Bitmap([true, false, true]))["name"]?.scalars == [.string("a"), .string("c")])
    let both = Batch.concatenate([batch, taken])
    #expect(both.rowCount == 6)
    #expect(both["id"]?.scalars == [.int(1), .int(2), .null, .null, .null, .int(1)])
  }
}

@Suite struct CanonicalTests {
  @Test(arguments: everyType, [false, true]) func canonicalFormIsEqualAndStable(type: DataType, nulls: Bool) {
    var random = SeededRandom(seed: 15)
    let column = random.column(type, count: 300, nulls: nulls).slice(from: 9, count: 280)
    let form = column.canonicalized()
    #expect(form.scalars.map(canonical) == column.scalars.map(canonical))
    #expect(form.equalsExactly(column) && column.equalsExactly(form))
    let again = form.canonicalized()
    #expect(again.data.withBytes { $0.baseAddress } == form.data.withBytes { $0.baseAddress })
  }

  @Test func floatsGetOneZeroAndOneNaN() {
    let doubles = Column(
      .float64, [.double(-0.0), .double(-.nan), .double(Double(bitPattern: 0x7ff0_0000_0000_0001)), .double(-.infinity)])
    #expect(doubles.canonicalized().values(UInt64.self).array == [0, 0x7ff8_0000_0000_0000, 0x7ff8_0000_0000_0000, 0xfff0_0000_0000_0000])
    let floats = Column(.float32, [.float(-0.0), .float(-.nan), .float(1.5)])
    #expect(floats.canonicalized().values(UInt32.self).array == [0, 0x7fc0_0000, 0x3fc0_0000])
  }

  @Test func whatLiesUnderNullsIsCleared() {
    let validity = Bitmap([true, false, true])
    let numbers = Column(.int32, [.int(1), .int(2), .int(3)])
    let column = Column(type: .int32, count: 3, validity: validity, data: numbers.data)
    #expect(column.canonicalized().values(Int32.self).array == [1, 0, 3])
    let text = Column(.string, [.string("a"), .string("hidden"), .string("c")])
    let hidden = Column(type: .string, count: 3, validity: validity, data: text.data, offsets: text.offsets)
    #expect(hidden.canonicalized().bytes[1].isEmpty)
    #expect(hidden.canonicalized().scalars == [.string("a"), .null, .string("c")])
    let flags = Column(type: .bool, count: 3, validity: validity, data: Bitmap(repeating: true, count: 3).slice)
    #expect(flags.canonicalized().bits.array == [true, false, true])
    #expect(hidden.equalsExactly(hidden.canonicalized()) && flags.equalsExactly(flags.canonicalized()))
  }

  @Test(arguments: everyType) func oneChangedValueIsUnequal(type: DataType) {
    var random = SeededRandom(seed: 16)
    let column = random.column(type, count: 200, nulls: true)
    for row in [0, 1, 77, 199] {
      var scalars = column.scalars
      let old = scalars[row]
      // An empty structure has one value: only a null differs from it.
      repeat {
        scalars[row] = old != .null && random.next() % 2 == 0 ? .null : random.scalar(type, narrow: false)
      } while canonical(scalars[row]) == canonical(old)
      #expect(!column.equalsExactly(Column(type, scalars)))
      #expect(column.slice(from: row + 1, count: 199 - row).equalsExactly(Column(type, scalars).slice(from: row + 1, count: 199 - row)))
    }
    #expect(!column.equalsExactly(column.slice(from: 0, count: 199)))
  }
}
