import Columns
import Testing

/// Every kernel over slices at every offset from 0 to 70, against plain lists of values: bits and validity begin within a byte, behind
/// whole bytes, and behind whole words.
@Suite struct SliceOffsetTests {
  static let offsets = 0...70
  static let rowCount = 27

  static let keyTypes = flatTypes.filter { type in
    switch type {
    case .decimal, .fixedBinary, .time, .duration: false
    default: !type.isFloat
    }
  }

  /// A slice, and a column of its own with the same values.
  private static func slices(
    _ type: DataType, nulls: Bool, seed: UInt64, _ body: (_ slice: Column, _ plain: Column, _ place: String) throws -> Void
  ) rethrows {
    var random = SeededRandom(seed: seed)
    let whole = random.column(type, count: 70 + rowCount, nulls: nulls, narrow: true)
    let values = whole.scalars
    for offset in offsets {
      let plain = Column(type, Array(values[offset..<offset + rowCount]))
      let place = "\(type), nulls \(nulls), offset \(offset)"
      try body(whole.slice(from: offset, count: rowCount), plain, place)
      // The same in two steps.
      let step = min(offset, Int(random.next() % 19))
      let outer = whole.slice(from: step, count: whole.count - step)
      try body(outer.slice(from: offset - step, count: rowCount), plain, "\(place) by way of \(step)")
    }
  }

  @Test(arguments: flatTypes, [false, true]) func valuesAreThoseOfTheSlice(type: DataType, nulls: Bool) {
    Self.slices(type, nulls: nulls, seed: 31) { slice, plain, place in
      let expected = plain.scalars.map(canonical)
      #expect(slice.scalars.map(canonical) == expected, "\(place)")
      #expect(slice.nullCount == plain.nullCount, "\(place)")
      #expect(slice.byteCount == plain.byteCount, "\(place)")
      #expect(slice.equalsExactly(plain) && plain.equalsExactly(slice), "\(place)")
      #expect(slice.canonicalized().scalars.map(canonical) == expected, "\(place)")
      #expect(slice.withoutValidity().nullCount == 0)
      if type == .bool { #expect(slice.withoutValidity().bits.array == plain.withoutValidity().bits.array, "\(place)") }
    }
  }

  @Test(arguments: flatTypes, [false, true]) func rowsAreSelectedAndStrungTogether(type: DataType, nulls: Bool) {
    var random = SeededRandom(seed: 32)
    Self.slices(type, nulls: nulls, seed: 33) { slice, plain, place in
      let values = plain.scalars.map(canonical)
      let indices = (0..<40).map { _ in Int32.random(in: -1..<Int32(Self.rowCount), using: &random) }
      #expect(slice.take(indices).scalars.map(canonical) == indices.map { $0 < 0 ? .null : values[Int($0)] }, "\(place)")
      let flags = (0..<80).map { _ in Bool.random(using: &random) }
      let start = Int(random.next() % 50)
      let mask = Bitmap(flags).slice(from: start, count: Self.rowCount)
      #expect(mask.setCount == flags[start..<start + Self.rowCount].count { $0 })
      let kept = (0..<Self.rowCount).filter { flags[start + $0] }.map { values[$0] }
      #expect(slice.filter(mask).scalars.map(canonical) == kept, "\(place)")
      let part = slice.slice(from: 9, count: 11)
      let parts = [plain, part, slice, part]
      let both = values + values[9..<20] + values + values[9..<20]
      #expect(Column.concatenate(parts).scalars.map(canonical) == both, "\(place)")
      var splice = Splice()
      splice.append(fromSecond: true, start: 1, count: 10)
      splice.append(fromSecond: false, start: 3, count: 20)
      splice.append(fromSecond: true, start: 15, count: 12)
      let second = Column.concatenate([part, slice.slice(from: 11, count: 16)])
      let expected = Array(values[10..<20]) + values[3..<23] + values[15..<27]
      #expect(Column.splice(slice, second, splice).scalars.map(canonical) == expected, "\(place)")
      let batches = [plain, slice]
      let schema = Schema([Field("c", type)])
      let list = BatchList(batches.map { Batch(schema: schema, columns: [$0], rowCount: $0.count) }, schema: schema)
      let rows: [Int32] = [0, 26, 27, 40, 53, 3, 35]
      #expect(list.take(rows).columns[0].scalars.map(canonical) == rows.map { values[Int($0) % Self.rowCount] }, "\(place)")
      var stretches = StretchList()
      stretches.append(batch: 1, start: 5, count: 18)
      stretches.append(batch: 0, start: 2, count: 1)
      stretches.append(batch: 1, start: 26, count: 1)
      #expect(
        Column.gather(batches, stretches).scalars.map(canonical) == Array(values[5..<23]) + [values[2], values[26]], "\(place)")
    }
  }

  @Test(arguments: flatTypes, [false, true]) func rowsAreOrdered(type: DataType, nulls: Bool) {
    var other: Column?
    var prefixCount = 0
    Self.slices(type, nulls: nulls, seed: 34) { slice, plain, place in
      let numbers = Column(.int64, (0..<Self.rowCount).map { .int(Int64($0 % 3)) })
      // In each place of a composite key.
      for (keys, model) in [([slice], [plain]), ([slice, numbers], [plain, numbers]), ([numbers, slice], [numbers, plain])] {
        let expected = naivePermutation(model)
        #expect(SortKernel.permutation(by: keys) ?? Array(0..<Int32(Self.rowCount)) == expected, "\(place)")
        let sorted = keys.map { $0.take(expected) }
        let distinct = (0..<Self.rowCount).filter { $0 == 0 || naiveOrder(sorted, $0 - 1, sorted, $0) != 0 }
        #expect(SortKernel.distinctRows(in: sorted) == distinct.map { Int32($0) }, "\(place)")
      }
      let repeated = (1..<Self.rowCount).first { naiveOrder([plain], $0 - 1, [plain], $0) == 0 }
      #expect(SortKernel.firstDuplicate(in: [slice]) == repeated, "\(place)")
      for row in 0..<Self.rowCount {
        let second = (row * 7 + 3) % Self.rowCount
        #expect(SortKernel.compareRows([slice], row, [plain], second).signum() == naiveOrder([plain], row, [plain], second), "\(place)")
      }
      // Two sorted slices at offsets of their own.
      let sorted = slice.take(naivePermutation([plain]))
      prefixCount = (prefixCount + 1) % Self.rowCount
      let padded = Column.concatenate([plain.slice(from: 0, count: prefixCount), sorted])
      let mine = padded.slice(from: prefixCount, count: Self.rowCount)
      let theirs = other ?? mine
      #expect(SortKernel.merge([mine], [theirs]) == naivePermutation([Column.concatenate([sorted, theirs])]), "\(place)")
      other = mine
    }
  }

  @Test(arguments: keyTypes) func keysAreThoseOfTheSlice(type: DataType) throws {
    let texts = Column(.string, (0..<Self.rowCount).map { .string($0 % 4 == 0 ? "a\0b" : "k\($0)") })
    try Self.slices(type, nulls: false, seed: 35) { slice, plain, place in
      for (columns, model) in [
        ([slice], [plain]), ([slice, texts], [plain, texts]), ([texts, slice], [texts, plain]),
        ([slice, texts, slice], [plain, texts, plain]),
      ] {
        let rows = 3..<Self.rowCount - 2
        let keys = try KeyEncoder.encodeAll(columns, rows: rows)
        for row in rows {
          let key = try KeyEncoder.encode(columns, row: row)
          #expect(keys.array(at: row - rows.lowerBound) == key, "\(place)")
          #expect(try KeyEncoder.decode(key, types: model.map(\.type)) == model.map { $0.scalar(at: row) }, "\(place)")
        }
      }
    }
  }

  @Test(arguments: flatTypes) func keysAreFoundInSlices(type: DataType) {
    var random = SeededRandom(seed: 36)
    let numbers = (0..<97).map { Scalar.int(Int64($0 % 3)) }
    let order = naivePermutation([random.column(type, count: 97, nulls: false, narrow: true)])
    random = SeededRandom(seed: 36)
    let whole = random.column(type, count: 97, nulls: false, narrow: true).take(order)
    for offset in Self.offsets {
      let stored = whole.slice(from: offset, count: Self.rowCount)
      // Ascending by both columns, with a second that tells equal values apart.
      let minor = Column(.int64, Array(numbers[offset..<offset + Self.rowCount]))
      let rows = naivePermutation([stored, minor])
      let keys = [Column.concatenate([whole.slice(from: 0, count: offset % 17), stored.take(rows)]), minor.take(rows)]
      let mine = [keys[0].slice(from: offset % 17, count: Self.rowCount), keys[1]]
      let wantedOrder = naivePermutation([whole.slice(from: 5, count: 60), Column(.int64, Array(numbers[1..<61]))])
      let wanted = [whole.slice(from: 5, count: 60).take(wantedOrder), Column(.int64, Array(numbers[1..<61])).take(wantedOrder)]
      var search = KeySearch(wantedCount: 60, storedCount: Self.rowCount)
      search.narrow(stored: mine[0], wanted: wanted[0])
      if let open = search.openRows {
        search.narrow(stored: mine[1].slice(from: open.lowerBound, count: open.count), firstRow: open.lowerBound, wanted: wanted[1])
      }
      for row in 0..<60 {
        let found = (0..<Self.rowCount).first { naiveOrder(mine, $0, wanted, row) == 0 }
        #expect(search.match(row) == found, "\(type), offset \(offset), row \(row)")
      }
    }
  }

  @Test func boolsAreCastAndReinterpretedInSlices() throws {
    try Self.slices(.bool, nulls: true, seed: 37) { slice, plain, place in
      let cast = try slice.cast(to: .bool)
      #expect(cast.scalars == plain.scalars, "\(place)")
      #expect(slice.reinterpreted(as: .bool).scalars == plain.scalars, "\(place)")
      #expect(slice.bits.setIndices == plain.bits.setIndices, "\(place)")
      #expect(slice.bits.compactedBits == plain.bits.array, "\(place)")
    }
  }
}

extension Bitmap {
  /// Through words, as kernels read.
  fileprivate var compactedBits: [Bool] {
    stride(from: 0, to: count, by: 64).flatMap { start in
      (0..<min(64, count - start)).map { word(at: start) >> UInt64($0) & 1 == 1 }
    }
  }
}
