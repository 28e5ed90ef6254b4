import Columns

/// Takes the nodes and buffers of a `RecordBatch` table in the order of the schema's fields, depth first.
struct RecordBatchDecoder {
  let rowCount: Int
  private let nodes: UnsafeRawBufferPointer
  private let buffers: UnsafeRawBufferPointer
  private let variadicCounts: UnsafeRawBufferPointer
  private let body: BufferSlice
  /// How the buffers are compressed; nil: not at all.
  let codec: ArrowCodec?
  private var nodeIndex = 0
  private var bufferIndex = 0
  private var variadicIndex = 0

  private static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

  /// - Parameter table: its bytes must outlive this value.
  init(_ table: FlatTable, body: BufferSlice) throws(ArrowError) {
    rowCount = try Self.count(try table.scalar(0, default: Int64(0)))
    nodes = try table.vector(1, elementByteCount: 16) ?? Self.empty
    buffers = try table.vector(2, elementByteCount: 16) ?? Self.empty
    variadicCounts = try table.vector(4, elementByteCount: 8) ?? Self.empty
    self.body = body
    guard let compression = try table.table(3) else {
      codec = nil
      return
    }
    let (code, method) = (try compression.scalar(0, default: UInt8(0)), try compression.scalar(1, default: UInt8(0)))
    guard let known = ArrowCodec(rawValue: code), method == 0 else {
      throw .unsupported("compression by codec number \(code) and method number \(method), expected LZ4 or zstd of buffers")
    }
    codec = known
  }

  private static func count(_ value: Int64) throws(ArrowError) -> Int {
    guard value >= 0 else { throw .malformed("\(value) values") }
    guard value <= ArrayData.countMax else { throw .unsupported("\(value) values in one batch, at most \(ArrayData.countMax) can be read") }
    return Int(value)
  }

  /// The array of the next field, its buffers as they lie in the body: see `ArrayData.decompressed`.
  /// - Parameter dictionaries: the decoded values by id.
  mutating func array(_ field: ArrowField, dictionaries: [Int64: Column]) throws(ArrowError) -> ArrayData {
    guard nodeIndex < nodes.count / 16 else { throw .malformed("the batch has \(nodes.count / 16) arrays, the schema more") }
    let count = try Self.count(nodes.loadUnaligned(fromByteOffset: nodeIndex * 16, as: Int64.self))
    let nullCount = nodes.loadUnaligned(fromByteOffset: nodeIndex * 16 + 8, as: Int64.self)
    nodeIndex += 1
    do throws(ArrowError) {
      if let encoding = field.dictionary {
        return ArrayData(
          count: count, buffers: try take(2, nullCount: nullCount), dictionary: dictionaries[encoding.id])
      }
      var bufferCount = field.layout.bufferCount
      if case .view = field.layout { bufferCount += try variadicCount() }
      let taken = try take(bufferCount, nullCount: nullCount)
      var children: [ArrayData] = []
      children.reserveCapacity(field.children.count)
      for child in field.children { children.append(try array(child, dictionaries: dictionaries)) }
      return ArrayData(count: count, buffers: taken, children: children)
    } catch {
      throw error.within("column \(field.name)")
    }
  }

  private mutating func variadicCount() throws(ArrowError) -> Int {
    guard variadicIndex < variadicCounts.count / 8 else { throw .malformed("the batch does not say how many buffers its views have") }
    let count = variadicCounts.loadUnaligned(fromByteOffset: variadicIndex * 8, as: Int64.self)
    variadicIndex += 1
    guard count >= 0, count <= buffers.count / 16 else {
      throw .malformed("\(count) data buffers of views in a batch of \(buffers.count / 16)")
    }
    return Int(count)
  }

  private mutating func take(_ count: Int, nullCount: Int64) throws(ArrowError) -> [BufferSlice] {
    guard count <= buffers.count / 16 - bufferIndex else {
      throw .malformed("the batch has \(buffers.count / 16) buffers, its arrays more")
    }
    var result: [BufferSlice] = []
    result.reserveCapacity(count)
    for index in 0..<count {
      let place = (bufferIndex + index) * 16
      let offset = buffers.loadUnaligned(fromByteOffset: place, as: Int64.self)
      let length = buffers.loadUnaligned(fromByteOffset: place + 8, as: Int64.self)
      guard offset >= 0, length >= 0, offset <= Int64(body.byteCount), length <= Int64(body.byteCount) - offset else {
        throw .malformed(
          "buffer \(bufferIndex + index), \(length) bytes at byte \(offset), lies outside the body of \(body.byteCount) bytes")
      }
      // A validity without nulls need not even be read.
      if index == 0 && nullCount == 0 {
        result.append(.empty)
        continue
      }
      result.append(body.slice(byteOffset: Int(offset), byteCount: Int(length)))
    }
    bufferIndex += count
    return result
  }
}

extension ArrayData {
  /// The same array with its buffers, and those of its children, decompressed.
  func decompressed(_ codec: BodyCodec) throws(ArrowError) -> ArrayData {
    var result = self
    for index in buffers.indices { result.buffers[index] = try codec.decode(buffers[index]) }
    for index in children.indices { result.children[index] = try children[index].decompressed(codec) }
    return result
  }
}
