import Columns

extension DefinitionSet {
  /// Binds a view to its source and type-checks all its expressions.
  ///
  /// - Throws: `notFound` for an unknown view, entity or column; `type` for what does not fit; `definition` for bad syntax.
  package func compile(view name: String, source: SourceTable) throws(FeatureError) -> CompiledView {
    guard let view = view(named: name) else {
      throw FeatureError(.notFound, "There is no feature view \(name)\(Suggestion.text(for: name, among: views.map(\.name)))")
    }
    return try compile(view, source: source, only: nil)
  }

  /// - Parameter only: the names of the features to compile; nil for all.
  func compile(_ view: FeatureView, source: SourceTable, only: Set<String>?) throws(FeatureError) -> CompiledView {
    let object = DefinitionPath.view(view.name)
    guard let entity = entity(named: view.entity) else {
      throw FeatureError(.notFound, "\(object): there is no entity \(view.entity)").located(places[object])
    }
    try checkTimeless(view, source)
    try checkKnowledge(view, source)
    let (keyColumns, keyTypes) = try bindKeys(view, entity, source)
    let filter = try view.filter.map { text throws(FeatureError) in
      try compileFilter(text, source, path: DefinitionPath.property(object, "where"), context: "\(object), where")
    }
    var features: [CompiledFeature] = []
    for feature in view.features where only?.contains(feature.name) ?? true {
      features.append(try compile(feature, of: view, source: source))
    }
    var columns = keyColumns
    columns += [source.eventTime, source.createdTime].compactMap { $0 } + source.primaryKey
    columns += filter?.columns ?? []
    for feature in features { columns += feature.columns }
    var seen: Set<String> = []
    return CompiledView(
      view: view, entity: entity, source: source, keyColumns: keyColumns, keyTypes: keyTypes, filter: filter,
      features: features, sourceColumns: columns.filter { seen.insert($0).inserted })
  }

  private func checkTimeless(_ view: FeatureView, _ source: SourceTable) throws(FeatureError) {
    guard source.eventTime == nil else { return }
    let object = DefinitionPath.view(view.name)
    if view.ttlMicros != nil {
      throw FeatureError(.type, "\(object): dataset \(source.name) has no event time, so its rows hold for ever; remove ttl")
        .located(places[DefinitionPath.property(object, "ttl")] ?? places[object])
    }
    for feature in view.features {
      guard case .aggregate(_, _, let window, _) = feature.kind, window != .all else { continue }
      let path = DefinitionPath.feature(view.name, feature.name)
      throw FeatureError(
        .type, "\(path): dataset \(source.name) has no event time, so it cannot be aggregated over a window; use window: all"
      ).located(places[DefinitionPath.property(path, "window")] ?? places[path])
    }
  }

  private func checkKnowledge(_ view: FeatureView, _ source: SourceTable) throws(FeatureError) {
    guard view.knowledge == .created, source.createdTime == nil else { return }
    let object = DefinitionPath.view(view.name)
    throw FeatureError(
      .type,
      "\(object): knowledge: created needs to know when rows were created, and dataset \(source.name) has no created time; "
        + "declare createdTime in its contract, or remove knowledge"
    ).located(places[DefinitionPath.property(object, "knowledge")] ?? places[object])
  }

  private func bindKeys(
    _ view: FeatureView, _ entity: Entity, _ source: SourceTable
  ) throws(FeatureError) -> (columns: [String], types: [DataType]) {
    let object = DefinitionPath.view(view.name)
    var columns: [String] = []
    var types: [DataType] = []
    for key in entity.keys {
      let column = view.keys[key.name] ?? key.name
      let place =
        places[DefinitionPath.key(object, key.name, isName: false)] ?? places[DefinitionPath.property(object, "keys")] ?? places[object]
      guard let field = source.schema[column] else {
        let hint = Suggestion.text(for: column, among: source.schema.fields.map(\.name))
        throw FeatureError(
          .notFound,
          "\(object): dataset \(source.name) has no column \(column) for key \(key.name) of entity \(entity.name)\(hint)"
            + (view.keys[key.name] == nil ? "; name it with keys: {\(key.name): COLUMN}" : "")
        ).located(place)
      }
      guard field.type == key.type || (field.type.isKeyInteger && key.type.isKeyInteger) else {
        throw FeatureError(
          .type,
          "\(object): key \(key.name) of entity \(entity.name) is \(key.type), but column \(column) of \(source.name) is \(field.type)"
        ).located(place)
      }
      columns.append(column)
      types.append(field.type)
    }
    return (columns, types)
  }

  private func compileFilter(
    _ text: String, _ source: SourceTable, path: String, context: String
  ) throws(FeatureError) -> CompiledExpression {
    let filter = try compileExpression(text, source, path: path, context: context)
    guard filter.resultType == .bool else {
      throw FeatureError(.type, "\(context): expected a condition (bool), `\(text)` is \(filter.resultType)").located(places[path])
    }
    return filter
  }

  private func compileExpression(
    _ text: String, _ source: SourceTable, path: String, context: String
  ) throws(FeatureError) -> CompiledExpression {
    do {
      return try Features.compileExpression(text, schema: source.schema, context: context)
    } catch {
      throw error.located(places[path])
    }
  }

  private func compile(
    _ feature: FeatureDefinition, of view: FeatureView, source: SourceTable
  ) throws(FeatureError) -> CompiledFeature {
    let path = DefinitionPath.feature(view.name, feature.name)
    switch feature.kind {
    case .expression(let text):
      let value = try compileExpression(text, source, path: DefinitionPath.property(path, "expr"), context: path)
      return CompiledFeature(name: feature.name, type: value.resultType, kind: .value(value))
    case .aggregate(let function, let of, let window, let filterText):
      let value = try of.map { text throws(FeatureError) in
        try compileExpression(text, source, path: DefinitionPath.property(path, "of"), context: "\(path), of")
      }
      let filter = try filterText.map { text throws(FeatureError) in
        try compileFilter(text, source, path: DefinitionPath.property(path, "where"), context: "\(path), where")
      }
      guard let type = function.resultType(of: value?.resultType) else {
        let found = value.map { "`\($0.text)` is \($0.resultType)" } ?? "of is missing"
        throw FeatureError(.type, "\(path): \(function.name) needs \(function.expectedOperand), \(found)")
          .located(places[DefinitionPath.property(path, "of")] ?? places[path])
      }
      return CompiledFeature(
        name: feature.name, type: type, kind: .aggregate(function, of: value, window: window, filter: filter))
    }
  }
}

extension CompiledFeature {
  /// The source columns read, with repetitions.
  var columns: [String] {
    switch kind {
    case .value(let value): value.columns
    case .aggregate(_, let of, _, let filter): (of?.columns ?? []) + (filter?.columns ?? [])
    }
  }
}

extension DataType {
  /// Integers that a key may be: they compare and hash as int64.
  var isKeyInteger: Bool { isInteger && self != .uint64 }
}
