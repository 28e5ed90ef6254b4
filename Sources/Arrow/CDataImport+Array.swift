import Columns

/// An array that was moved here; released when the last column that points into it is gone.
// SAFETY: the structure is ours alone since it was moved, and never written again; the specification lets any thread release it.
private final class ImportedArray: @unchecked Sendable {
  var array: CArrowArray

  init(moving source: UnsafeMutablePointer<CArrowArray>) {
    array = source.pointee
    source.pointee.release = nil
  }

  deinit { withUnsafeMutablePointer(to: &array) { $0.pointee.release?($0) } }
}

extension CDataImport {
  /// Moves a batch out of `source`.
  ///
  /// - Parameters:
  ///   - schema: moved and released as well.
  ///   - expandedByteCountMax: as for `ArrowReader`.
  package static func batch(
    _ source: UnsafeMutablePointer<CArrowArray>, schema: UnsafeMutablePointer<CArrowSchema>, expandedByteCountMax: Int = Int(Int32.max)
  ) throws(ArrowError) -> Batch {
    guard source.pointee.release != nil else { throw .malformed("Cannot import a batch: it has been released") }
    // Moved before anything can fail: it is released in any case.
    let owner = ImportedArray(moving: source)
    return try batch(owner, field: try table(schema), ArrayDecoder(expandedByteCountMax: expandedByteCountMax))
  }

  /// Moves a column out of `source`; otherwise as `batch`.
  package static func column(
    _ source: UnsafeMutablePointer<CArrowArray>, schema: UnsafeMutablePointer<CArrowSchema>, expandedByteCountMax: Int = Int(Int32.max)
  ) throws(ArrowError) -> (field: Field, column: Column) {
    guard source.pointee.release != nil else { throw .malformed("Cannot import a column: it has been released") }
    let owner = ImportedArray(moving: source)
    let field = try field(schema)
    do throws(ArrowError) {
      let decoder = ArrayDecoder(expandedByteCountMax: expandedByteCountMax)
      return (field.field, try decoder.column(field, try data(field, owner.array, owner, decoder)))
    } catch {
      throw error.within("Cannot import a column")
    }
  }

  static func batch(moving source: UnsafeMutablePointer<CArrowArray>, field: ArrowField, _ decoder: ArrayDecoder) throws(ArrowError)
    -> Batch
  {
    try batch(ImportedArray(moving: source), field: field, decoder)
  }

  private static func batch(_ owner: ImportedArray, field: ArrowField, _ decoder: ArrayDecoder) throws(ArrowError) -> Batch {
    do throws(ArrowError) {
      let array = try data(field, owner.array, owner, decoder)
      let validity = try decoder.validity(array)
      guard validity.map({ $0.setCount == $0.count }) ?? true else { throw .malformed("the batch itself has null rows") }
      var columns: [Column] = []
      for (child, part) in zip(field.children, array.children) {
        guard part.count >= array.offset + array.count else {
          throw .malformed("column \(child.name) has \(part.count) values, the batch \(array.offset + array.count) rows")
        }
        columns.append(try decoder.column(child, part.sliced(from: array.offset, count: array.count)))
      }
      return Batch(schema: Schema(field.children.map(\.field)), columns: columns, rowCount: array.count)
    } catch {
      throw error.within("Cannot import a batch")
    }
  }

  /// The array's buffers, with the lengths that its counts and offsets give them.
  private static func data(
    _ field: ArrowField, _ array: CArrowArray, _ owner: ImportedArray, _ decoder: ArrayDecoder
  ) throws(ArrowError) -> ArrayData {
    guard array.count >= 0, array.offset >= 0, array.count <= ArrayData.countMax, array.offset <= ArrayData.countMax,
      array.count + array.offset <= ArrayData.countMax
    else { throw .unsupported("\(array.count) values from \(array.offset) on, at most \(ArrayData.countMax) can be read") }
    let (count, offset) = (Int(array.count), Int(array.offset))
    let buffers = try ImportedBuffers(array, owner, total: count + offset)
    if let encoding = field.dictionary {
      guard let pointer = array.dictionary else { throw .malformed("column \(field.name) has no dictionary") }
      let values = field.dictionaryValues
      let dictionary = try decoder.column(values, try data(values, pointer.pointee, owner, decoder))
      return ArrayData(
        count: count, offset: offset, buffers: [try buffers.validity(), try buffers.fixed(1, byteWidth: encoding.byteWidth)],
        dictionary: dictionary)
    }
    guard Int(array.childCount) == field.children.count else {
      throw .malformed("column \(field.name) has \(array.childCount) children, its schema \(field.children.count)")
    }
    var children: [ArrayData] = []
    for (index, child) in field.children.enumerated() {
      guard let pointer = array.children?[index] else { throw .malformed("column \(field.name): child \(index) is missing") }
      children.append(try data(child, pointer.pointee, owner, decoder))
    }
    do throws(ArrowError) {
      return ArrayData(count: count, offset: offset, buffers: try buffers.slices(field.layout), children: children)
    } catch {
      throw error.within("column \(field.name)")
    }
  }
}

/// The buffers of an imported array. SAFETY: the producer vouches for as many bytes as counts and offsets say.
private struct ImportedBuffers {
  private let array: CArrowArray
  private let owner: ImportedArray
  /// Values before and within the array.
  private let total: Int

  init(_ array: CArrowArray, _ owner: ImportedArray, total: Int) throws(ArrowError) {
    guard array.bufferCount >= 0, array.bufferCount == 0 || array.buffers != nil else { throw .malformed("\(array.bufferCount) buffers") }
    self.array = array
    self.owner = owner
    self.total = total
  }

  func slices(_ layout: ArrowLayout) throws(ArrowError) -> [BufferSlice] {
    switch layout {
    case .null, .runEndEncoded: return []
    case .structure, .fixedList: return [try validity()]
    case .bool: return [try validity(), try slice(1, byteCount: (total + 7) / 8)]
    case .fixed(let byteWidth): return [try validity(), try fixed(1, byteWidth: byteWidth)]
    case .dateMillis: return [try validity(), try fixed(1, byteWidth: 8)]
    case .decimal(let bitWidth, _): return [try validity(), try fixed(1, byteWidth: bitWidth / 8)]
    case .list(let isLarge): return [try validity(), try offsets(byteWidth: isLarge ? 8 : 4)]
    case .map: return [try validity(), try offsets(byteWidth: 4)]
    case .listView(let isLarge):
      return [try validity(), try fixed(1, byteWidth: isLarge ? 8 : 4), try fixed(2, byteWidth: isLarge ? 8 : 4)]
    case .bytes(_, let isLarge):
      let ends = try offsets(byteWidth: isLarge ? 8 : 4)
      let last =
        ends.byteCount == 0
        ? 0
        : ends.withBytes {
          isLarge
            ? $0.loadUnaligned(fromByteOffset: total * 8, as: Int64.self)
            : Int64($0.loadUnaligned(fromByteOffset: total * 4, as: Int32.self))
        }
      guard last >= 0 else { throw .malformed("the last offset is \(last)") }
      return [try validity(), ends, try slice(2, byteCount: Int(last))]
    case .view:
      // The last buffer holds the lengths of those between the views and itself.
      let poolCount = Int(array.bufferCount) - 3
      guard poolCount >= 0 else { throw .malformed("\(array.bufferCount) buffers, expected at least 3") }
      let lengths = try slice(2 + poolCount, byteCount: poolCount * 8)
      var result = [try validity(), try fixed(1, byteWidth: 16)]
      for index in 0..<poolCount {
        let length = lengths.withBytes { $0.loadUnaligned(fromByteOffset: index * 8, as: Int64.self) }
        guard length >= 0 else { throw .malformed("buffer \(index + 2) is said to have \(length) bytes") }
        result.append(try slice(2 + index, byteCount: Int(length)))
      }
      return result
    }
  }

  func validity() throws(ArrowError) -> BufferSlice {
    guard array.bufferCount > 0, array.nullCount != 0, array.buffers?[0] != nil else { return .empty }
    return try slice(0, byteCount: (total + 7) / 8)
  }

  func fixed(_ index: Int, byteWidth: Int) throws(ArrowError) -> BufferSlice { try slice(index, byteCount: total * byteWidth) }

  /// An array of no values may come without offsets.
  private func offsets(byteWidth: Int) throws(ArrowError) -> BufferSlice {
    if total == 0, array.bufferCount > 1, array.buffers?[1] == nil { return .empty }
    return try slice(1, byteCount: (total + 1) * byteWidth)
  }

  private func slice(_ index: Int, byteCount: Int) throws(ArrowError) -> BufferSlice {
    guard index < array.bufferCount else { throw .malformed("\(array.bufferCount) buffers, expected at least \(index + 1)") }
    guard byteCount > 0 else { return .empty }
    guard let start = array.buffers?[index] else { throw .malformed("buffer \(index) of \(byteCount) bytes is missing") }
    return BufferSlice(owner: owner, start: start, byteCount: byteCount)
  }
}
