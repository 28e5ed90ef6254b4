import Columns
import Testing

@Suite struct NestedTests {
  private static let numbers = DataType.list(Field("element", .int32))

  @Test func listsKeepNullsAndEmptyLists() {
    let values: [Scalar] = [.list([.int(1), .null]), .null, .list([]), .list([.int(2)])]
    let column = Column(Self.numbers, values)
    #expect(column.scalars == values)
    #expect(column.nullCount == 1)
    #expect(column.listOffsets.array == [0, 2, 2, 2, 3])
    #expect(column.children[0].scalars == [.int(1), .null, .int(2)])
    let part = column.slice(from: 2, count: 2)
    #expect(part.scalars == [.list([]), .list([.int(2)])])
    #expect(part.listOffsets.array == [2, 2, 3])
  }

  @Test func nullStructuresHoldNullsOrZeros() {
    let type = DataType.structure([Field("a", .int64), Field("b", .int16, isNullable: false), Field("c", .string, isNullable: false)])
    let column = Column(type, [.structure([.int(1), .int(2), .string("x")]), .null])
    #expect(column.children[0].scalars == [.int(1), .null])
    #expect(column.children[1].scalars == [.int(2), .int(0)])
    #expect(column.children[2].scalars == [.string("x"), .string("")])
    let taken = column.take([-1, 0])
    #expect(taken.scalars == [.null, .structure([.int(1), .int(2), .string("x")])])
    #expect(taken.children[0].scalars == [.null, .int(1)])
    #expect(taken.children[1].nullCount == 0)
    #expect(taken.children[1].scalars == [.int(0), .int(2)])
    #expect(taken.children[2].scalars == [.string(""), .string("x")])
  }

  @Test func mapsAreListsOfKeyAndValue() {
    let type = DataType.map(key: Field("key", .string, isNullable: false), value: Field("value", .bool))
    let values: [Scalar] = [
      .list([.structure([.string("a"), .bool(true)]), .structure([.string("b"), .null])]), .list([]), .null,
    ]
    let column = Column(type, values)
    #expect(column.scalars == values)
    #expect(column.children[0].children[0].scalars == [.string("a"), .string("b")])
    #expect(Column.concatenate([column, column.slice(from: 0, count: 1)]).scalars == values + values.prefix(1))
  }

  @Test func concatenationRebasesOffsetsOfSlices() {
    let first = Column(Self.numbers, [.list([.int(9), .int(8)]), .list([.int(1)])]).slice(from: 1, count: 1)
    let second = Column(Self.numbers, [.null, .list([.int(2), .int(3)])])
    let whole = Column.concatenate([first, second])
    #expect(whole.listOffsets.array == [0, 1, 1, 3])
    #expect(whole.children[0].scalars == [.int(1), .int(2), .int(3)])
    #expect(whole.scalars == [.list([.int(1)]), .null, .list([.int(2), .int(3)])])
  }

  @Test func hiddenElementsAreClearedAndDoNotCount() {
    let shown = Column(Self.numbers, [.list([.int(1)]), .list([.int(2), .int(3)]), .list([.int(4)])])
    let validity = Bitmap([true, false, true])
    let hiding = Column(nested: Self.numbers, count: 3, validity: validity, offsets: shown.offsets, children: shown.children)
    let plain = Column(Self.numbers, [.list([.int(1)]), .null, .list([.int(4)])])
    #expect(hiding.equalsExactly(plain) && plain.equalsExactly(hiding))
    #expect(hiding.canonicalized().children[0].scalars == [.int(1), .int(4)])
    #expect(hiding.canonicalized().listOffsets.array == [0, 1, 1, 2])

    let type = DataType.structure([Field("a", .int64), Field("b", .int64, isNullable: false)])
    let child = Column(.int64, [.int(5), .int(6), .int(7)])
    let structures = Column(nested: type, count: 3, validity: validity, children: [child, child])
    let form = structures.canonicalized()
    #expect(form.children[0].scalars == [.int(5), .null, .int(7)])
    #expect(form.children[1].scalars == [.int(5), .int(0), .int(7)])
    #expect(form.equalsExactly(structures) && structures.equalsExactly(form))
  }

  @Test func listsOfDifferentLengthsAreUnequal() {
    let a = Column(Self.numbers, [.list([.int(1), .int(2)]), .list([.int(3)])])
    let b = Column(Self.numbers, [.list([.int(1)]), .list([.int(2), .int(3)])])
    #expect(!a.equalsExactly(b))
    #expect(a.equalsExactly(Column(Self.numbers, a.scalars)))
  }

  @Test func placeholdersFillColumnsThatAFileLacks() {
    for type in everyType {
      let nulls = Column(type, placeholders: 3, isNullable: true)
      #expect(nulls.scalars == [.null, .null, .null], "\(type)")
      let zeros = Column(type, placeholders: 3, isNullable: false)
      #expect(zeros.nullCount == 0 && zeros.count == 3, "\(type)")
      #expect(zeros.equalsExactly(zeros.canonicalized()), "\(type)")
    }
    let type = DataType.structure([Field("a", .list(Field("element", .date)), isNullable: false), Field("b", .fixedBinary(byteWidth: 2))])
    #expect(Column(type, placeholders: 1, isNullable: false).scalars == [.structure([.list([]), .null])])
  }

  @Test func buildersStartAgainAfterFinish() {
    var builder = ColumnBuilder(.structure([Field("l", Self.numbers)]))
    for round in 1...2 {
      builder.append(.structure([.list([.int(Int64(round))])]))
      builder.appendNull()
      #expect(builder.finish().scalars == [.structure([.list([.int(Int64(round))])]), .null])
    }
  }
}

@Suite struct FixedWidthTests {
  @Test func halfFloatsAreStoredInTwoBytes() {
    let column = Column(.float16, [.float(1.5), .null, .float(-2), .float(.infinity)])
    #expect(column.values(UInt16.self).array == [0x3e00, 0, 0xc000, 0x7c00])
    #expect(column.scalars == [.float(1.5), .null, .float(-2), .float(.infinity)])
    let odd = Column(.float16, [.float(-0.0), .float(-.nan)])
    #expect(odd.canonicalized().values(UInt16.self).array == [0, 0x7e00])
  }

  @Test func fixedBinaryLiesEndToEnd() {
    let type = DataType.fixedBinary(byteWidth: 3)
    let column = Column(type, [.binary([1, 2, 3]), .null, .binary([4, 5, 6])])
    #expect(column.data.withBytes { Array($0) } == [1, 2, 3, 0, 0, 0, 4, 5, 6])
    #expect(column.slice(from: 1, count: 2).take([1, -1, 0]).scalars == [.binary([4, 5, 6]), .null, .null])
    let hidden = Column(type: type, count: 2, validity: Bitmap([false, true]), data: BufferSlice(copying: [9, 9, 9, 1, 1, 1]))
    #expect(hidden.canonicalized().data.withBytes { Array($0) } == [0, 0, 0, 1, 1, 1])
    #expect(hidden.equalsExactly(hidden.canonicalized()))
    let empty = Column(.fixedBinary(byteWidth: 0), [.binary([]), .null])
    #expect(empty.take([1, 0]).scalars == [.null, .binary([])])
  }

  @Test func timesHaveTheWidthOfTheirUnit() {
    for (unit, width) in [(TimeUnit.second, 4), (.millisecond, 4), (.microsecond, 8), (.nanosecond, 8)] {
      let column = Column(.time(unit), [.time(86_399, unit), .null, .time(0, unit)])
      #expect(column.data.byteCount == 3 * width)
      #expect(column.scalars == [.time(86_399, unit), .null, .time(0, unit)])
    }
    let span = Column(.duration(.nanosecond), [.duration(.min, .nanosecond), .duration(.max, .nanosecond)])
    #expect(span.values(Int64.self).array == [.min, .max])
  }
}
