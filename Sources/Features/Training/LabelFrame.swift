import Columns

/// The rows a training set is asked for, checked against what its service needs.
struct LabelFrame {
  let batch: Batch
  /// `timestampMicros` without nulls; nil when no view of the service looks at time.
  let times: Column?

  init(_ batch: Batch, for service: CompiledService, timeColumn: String) throws(FeatureError) {
    var seen: Set<String> = []
    for field in batch.schema.fields where !seen.insert(field.name).inserted {
      throw FeatureError(.labels, "Labels have two columns named \(field.name)")
    }
    self.batch = batch
    let needsTime = service.views.contains { !$0.view.isTimeless }
    times = needsTime ? try Self.times(of: batch, timeColumn) : nil
  }

  /// The keys of a view's entity, in its order, converted to the types it declares.
  func keys(for use: CompiledViewUse) throws(FeatureError) -> [Column] {
    var keys: [Column] = []
    for (name, key) in zip(use.labelColumns, use.view.entity.keys) {
      let reader = "key \(key.name) of entity \(use.view.entity.name) in feature view \(use.view.view.name)"
      guard let column = batch[name] else {
        let hint = Suggestion.text(for: name, among: batch.schema.fields.map(\.name))
        throw FeatureError(.labels, "Labels lack column \(name), which is \(reader)\(hint)")
      }
      do {
        keys.append(try column.castName(to: key.type, nanAsNull: true))
      } catch {
        throw FeatureError(
          .labels, "Cannot use label column \(name) as \(reader): \(error.text(row: FeatureError.rowMark))", row: error.row)
      }
    }
    return keys
  }

  private static func times(of batch: Batch, _ name: String) throws(FeatureError) -> Column {
    guard let column = batch[name] else {
      let hint = Suggestion.text(for: name, among: batch.schema.fields.map(\.name))
      throw FeatureError(.labels, "Labels lack the time column \(name)\(hint); name it with --time COLUMN")
    }
    guard column.type.isTimestamp || column.type == .date else {
      throw FeatureError(.labels, "Label time column \(name): expected a timestamp or date, found \(column.type)")
    }
    if let row = column.firstNull {
      throw FeatureError(
        .labels, "Label time column \(name): expected a time in every row, found null in row \(FeatureError.rowMark)", row: row)
    }
    do {
      return try column.cast(to: .timestampMicros, nanAsNull: false, floor: true)
    } catch {
      throw FeatureError(.labels, "Label time column \(name): \(error.text(row: FeatureError.rowMark))", row: error.row)
    }
  }
}
