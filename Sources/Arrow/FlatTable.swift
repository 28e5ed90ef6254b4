/// A table of a FlatBuffer, read with every offset checked against the bytes.
///
/// Format: the FlatBuffers internals document. A table starts with the distance back to its vtable; the vtable holds its own size,
/// the table's size and, for each slot, where the field lies in the table (0: absent, the default holds).
///
/// The bytes must outlive the table: it is used only inside `withBytes` of the message.
struct FlatTable {
  // SAFETY: every read below first checks its range against `bytes.count`; loads are unaligned.
  private let bytes: UnsafeRawBufferPointer
  private let position: Int
  private let vtable: Int
  private let slotCount: Int
  private let tableByteCount: Int

  /// The root table of a message.
  init(root bytes: UnsafeRawBufferPointer) throws(ArrowError) {
    guard bytes.count >= 8 else { throw .malformed("a FlatBuffer needs at least 8 bytes, found \(bytes.count)") }
    try self.init(bytes, at: Int(bytes.loadUnaligned(as: UInt32.self)))
  }

  private init(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(ArrowError) {
    guard position >= 4, position <= bytes.count - 4 else {
      throw .malformed("a table is said to lie at byte \(position) of a FlatBuffer of \(bytes.count) bytes")
    }
    let vtable = position - Int(bytes.loadUnaligned(fromByteOffset: position, as: Int32.self))
    guard vtable >= 0, vtable <= bytes.count - 4 else {
      throw .malformed("a vtable is said to lie at byte \(vtable) of a FlatBuffer of \(bytes.count) bytes")
    }
    let vtableByteCount = Int(bytes.loadUnaligned(fromByteOffset: vtable, as: UInt16.self))
    let tableByteCount = Int(bytes.loadUnaligned(fromByteOffset: vtable + 2, as: UInt16.self))
    guard vtableByteCount >= 4, vtableByteCount % 2 == 0, vtableByteCount <= bytes.count - vtable else {
      throw .malformed("the vtable at byte \(vtable) is said to take \(vtableByteCount) bytes of a FlatBuffer of \(bytes.count)")
    }
    guard tableByteCount >= 4, tableByteCount <= bytes.count - position else {
      throw .malformed("the table at byte \(position) is said to take \(tableByteCount) bytes of a FlatBuffer of \(bytes.count)")
    }
    self.bytes = bytes
    self.position = position
    self.vtable = vtable
    self.slotCount = (vtableByteCount - 4) / 2
    self.tableByteCount = tableByteCount
  }

  /// Where a field of this width lies; nil when it is absent.
  private func place(_ slot: Int, byteCount: Int) throws(ArrowError) -> Int? {
    guard slot < slotCount else { return nil }
    let offset = Int(bytes.loadUnaligned(fromByteOffset: vtable + 4 + slot * 2, as: UInt16.self))
    guard offset != 0 else { return nil }
    guard offset >= 4, offset <= tableByteCount - byteCount else {
      throw .malformed("field \(slot) of the table at byte \(position) lies outside its \(tableByteCount) bytes")
    }
    return position + offset
  }

  func scalar<T: FixedWidthInteger & BitwiseCopyable>(_ slot: Int, default fallback: T) throws(ArrowError) -> T {
    guard let place = try place(slot, byteCount: MemoryLayout<T>.size) else { return fallback }
    return bytes.loadUnaligned(fromByteOffset: place, as: T.self)
  }

  func bool(_ slot: Int) throws(ArrowError) -> Bool { try scalar(slot, default: UInt8(0)) != 0 }

  /// Where the object lies that an offset field points to.
  private func target(_ slot: Int) throws(ArrowError) -> Int? {
    guard let place = try place(slot, byteCount: 4) else { return nil }
    return place + Int(bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
  }

  func table(_ slot: Int) throws(ArrowError) -> FlatTable? {
    guard let target = try target(slot) else { return nil }
    return try FlatTable(bytes, at: target)
  }

  /// The elements of a vector of structs or scalars of this width.
  func vector(_ slot: Int, elementByteCount: Int) throws(ArrowError) -> UnsafeRawBufferPointer? {
    guard let start = try target(slot) else { return nil }
    guard start <= bytes.count - 4 else {
      throw .malformed("a vector is said to lie at byte \(start) of a FlatBuffer of \(bytes.count) bytes")
    }
    let count = Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    guard count <= (bytes.count - start - 4) / elementByteCount else {
      throw .malformed("the vector at byte \(start) is said to have \(count) elements of \(elementByteCount) bytes, more than there are")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[(start + 4)..<(start + 4 + count * elementByteCount)])
  }

  /// How many tables a vector of tables has, and each one of them.
  func tables(_ slot: Int) throws(ArrowError) -> FlatTables {
    guard let elements = try vector(slot, elementByteCount: 4) else { return FlatTables(count: 0, start: 0, bytes: bytes) }
    guard let base = bytes.baseAddress, let first = elements.baseAddress else { return FlatTables(count: 0, start: 0, bytes: bytes) }
    return FlatTables(count: elements.count / 4, start: first - base, bytes: bytes)
  }

  func string(_ slot: Int) throws(ArrowError) -> String? {
    guard let text = try vector(slot, elementByteCount: 1) else { return nil }
    guard let string = String(validating: text, as: UTF8.self) else { throw .malformed("a name or a zone is not valid UTF-8") }
    return string
  }

  /// A vector of tables whose offsets have been checked to lie in the bytes.
  struct FlatTables {
    let count: Int
    fileprivate let start: Int
    fileprivate let bytes: UnsafeRawBufferPointer

    fileprivate init(count: Int, start: Int, bytes: UnsafeRawBufferPointer) {
      self.count = count
      self.start = start
      self.bytes = bytes
    }

    func table(at index: Int) throws(ArrowError) -> FlatTable {
      let place = start + index * 4
      return try FlatTable(bytes, at: place + Int(bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
    }
  }
}
